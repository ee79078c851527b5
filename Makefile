# SPDX-License-Identifier: GPL-2.0-only
# The kvm target of the kernel's selftests. Standing in a kernel tree as
# tools/testing/selftests/kvm it is nothing else; standing alone, standalone.mk
# lays a tree around it; beside the kernel's own tests, graft.mk calls it.
KSFT ?= ..

ifeq ($(wildcard $(KSFT)/lib.mk),)
include standalone.mk
else

TEST_GEN_PROGS := $(sort $(patsubst %.c,%,$(wildcard x86_64/*_test.c)))
TEST_GEN_PROGS_EXTENDED := $(patsubst %.c,%,$(wildcard selftest/*_selftest.c))
# To run the installed tests on hardware that they may bring down.
TEST_PROGS_EXTENDED := ci/run-suite ci/ktap-to-lava lab/modules
TEST_FILES := lab/kernel-words.sh

LIBKVM_SRC := $(wildcard lib/*.c lib/x86_64/*.c lib/oracle/*.c lib/x86_64/*.S)

all:
include $(KSFT)/lib.mk

# Guests are C too: no vector registers, no red zone under exceptions, no stack
# protector (its canary is in TLS), and an ELF file that runs where it is linked.
CFLAGS += -O2 -g -std=gnu11 -Wall -Wextra -Wstrict-prototypes
CFLAGS += -D_GNU_SOURCE= -pthread -fno-pie -fno-strict-aliasing
CFLAGS += -fno-stack-protector -mno-red-zone -mgeneral-regs-only
CFLAGS += -fno-builtin-memcmp -fno-builtin-memcpy -fno-builtin-memset
CFLAGS += -Iinclude -isystem $(KSFT) $(KHDR_INCLUDES)
ifeq ($(WERROR),1)
CFLAGS += -Werror
endif
KVM_LDFLAGS := -static -pthread

LIBKVM_OBJ := $(patsubst %,$(OUTPUT)/%.o,$(basename $(LIBKVM_SRC)))
LIBKVM := $(OUTPUT)/libkvm.a
PROGS := $(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED)
PROG_OBJ := $(addsuffix .o,$(PROGS))
EXTRA_CLEAN += $(LIBKVM) $(LIBKVM_OBJ) $(PROG_OBJ) $(LIBKVM_OBJ:.o=.d) $(PROG_OBJ:.o=.d)

ifeq ($(V),1)
Q :=
else
Q := @
endif

$(LIBKVM_OBJ) $(PROG_OBJ): Makefile
$(filter-out %/handlers.o,$(LIBKVM_OBJ)) $(PROG_OBJ): $(OUTPUT)/%.o: %.c
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC      $*.o")
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(OUTPUT)/lib/x86_64/handlers.o: lib/x86_64/handlers.S
	@mkdir -p $(@D)
	$(if $(Q),@echo "  AS      lib/x86_64/handlers.o")
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

$(LIBKVM): $(LIBKVM_OBJ)
	$(if $(Q),@echo "  AR      libkvm.a")
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PROGS): $(OUTPUT)/%: $(OUTPUT)/%.o $(LIBKVM)
	$(if $(Q),@echo "  LINK    $*")
	$(Q)$(CC) $(KVM_LDFLAGS) $< $(LIBKVM) -o $@

-include $(LIBKVM_OBJ:.o=.d) $(PROG_OBJ:.o=.d)
endif
