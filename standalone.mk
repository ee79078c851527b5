# SPDX-License-Identifier: GPL-2.0-only
# Outside a kernel tree: the kernel's selftest framework is fetched (KSRC=DIR,
# or Debian's linux-source package), a tree is laid around this directory under
# build/, and the kernel's own command builds and installs from there.

TOP := $(CURDIR)
B := $(TOP)/build
SELFTESTS := $(B)/tree/tools/testing/selftests
OUT := $(B)/out
BIN := $(OUT)/kselftest/kvm/x86_64
INSTALLED = $(abspath $(INSTALL_PATH))

HOST ?= auto
KERNEL ?=
PARAM ?=
TESTS ?=
PROFILE ?=
# An emulated host keeps one CPU busy, but sleeps now and then, and may want 4G.
JOBS ?= $(shell n=$$((($$(nproc) * 3 + 1) / 2)); echo $$((n < 4 ? n : 4)))

KSFT_MAKE = $(MAKE) --no-print-directory -C $(SELFTESTS) TARGETS=kvm \
	FORCE_TARGETS=1 O=$(OUT) $(if $(LLVM),LLVM=$(LLVM)) \
	$(if $(WERROR),WERROR=$(WERROR))

.DEFAULT_GOAL := all
.PHONY: all run_tests install gen_tar check check-bisect scoreboard new clean distclean help tree

help:
	@echo "make                   build the tests"
	@echo "make run_tests         run them: on this host's kvm_amd/kvm_intel, else in the AMD lab"
	@echo "    HOST=local|amd     choose where; TESTS=\"a_test b_test:CASEGLOB\" choose what"
	@echo "    KERNEL=6.1         lab only: Debian kernel or file; PARAM=\"kvm.tdp_mmu=0 ...\""
	@echo "    JOBS=N             emulated hosts at once; default: three for two CPUs, at most 4"
	@echo "    PROFILE=patch|nightly|soak  instead: a set of configurations; see the README"
	@echo "make check             this project's own tests"
	@echo "make check-bisect      lab/bisect on a history of a real kernel: long"
	@echo "make scoreboard        which regressions of the corpus were caught: build/results/scoreboard.*"
	@echo "make install|gen_tar   as in the kernel tree; INSTALL_PATH=DIR"
	@echo "make new TEST=name     a new test from a template that builds and passes"
	@echo "make clean|distclean   remove what was built / and all that was fetched"
	@echo "KSRC=DIR takes the selftest framework from a kernel tree; V=1 shows commands"

tree:
	@lab/need gcc:build-essential rsync:rsync xz:xz-utils
	@scripts/ksft-tree $(B)/tree $(OUT) $(KSRC)

all: tree
	+@$(KSFT_MAKE) all

install gen_tar: tree
	+@$(KSFT_MAKE) $(if $(INSTALL_PATH),KSFT_INSTALL_PATH=$(INSTALLED) INSTALL_PATH=$(INSTALLED)) $@

ifneq ($(PROFILE),)
run_tests: all
	@scripts/profile "$(PROFILE)" $(HOST) $(TESTS)
else
run_tests: all
	@lab/run --host $(HOST) $(if $(filter-out local,$(HOST)),-j $(JOBS)) $(if $(KERNEL),--kernel $(KERNEL)) \
		$(foreach p,$(PARAM),--param $(p)) \
		$(or $(TESTS),$(notdir $(basename $(wildcard x86_64/*_test.c))))
endif

check: tree
	@scripts/check

check-bisect: all
	@corpus/selftest.d/bisect

scoreboard:
	@corpus/scoreboard

new: tree
	@scripts/new-test "$(TEST)"

clean:
	rm -rf $(OUT) $(B)/clang $(B)/tree $(B)/log

distclean: clean
	rm -rf $(B)
