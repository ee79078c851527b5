# SPDX-License-Identifier: GPL-2.0-only
# The suite beside a kernel's own KVM selftests: what scripts/graft adds to their
# Makefile includes this file. Installation is flat, and the kernel has a
# dirty_log_test, too: each program has the prefix mmu_.

ifneq ($(filter x86 x86_64,$(ARCH)),)
MMU_OUT := $(abspath $(OUTPUT))/mmu
MMU_TESTS := $(patsubst mmu/x86_64/%.c,%,$(sort $(wildcard mmu/x86_64/*_test.c)))
MMU_PROGS := $(addprefix $(MMU_OUT)/mmu_,$(MMU_TESTS))
TEST_CUSTOM_PROGS += $(MMU_PROGS)

MMU_MAKE = $(MAKE) -C mmu KSFT=../.. OUTPUT=$(MMU_OUT) TEST_GEN_PROGS_EXTENDED=

.PHONY: mmu_build mmu_clean
all: $(MMU_PROGS)
$(MMU_PROGS): mmu_build ;

mmu_build:
	+@$(MMU_MAKE) all
	@cd $(MMU_OUT) && for t in $(MMU_TESTS); do ln -f x86_64/$$t mmu_$$t; done

clean: mmu_clean
mmu_clean:
	+@$(MMU_MAKE) clean
	@rm -f $(MMU_PROGS)
endif
