/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SVM as an L1 hypervisor uses it: the VMCB (APM vol. 2 appendix B), and running
 * an L2 with it. Functions that are not said to be the host's run in L1.
 */
#ifndef SELFTEST_KVM_SVM_H
#define SELFTEST_KVM_SVM_H

#include "processor.h"

#define EFER_SVME		BIT(12)
#define MSR_VM_HSAVE_PA		0xc0010117

#define CPUID_SVM		BIT(2)	/* 0x80000001 ECX */
#define CPUID_SVM_FEATURES	0x8000000a
#define CPUID_SVM_NPT		BIT(0)	/* EDX */

/* Intercepts of the two words at offset 0xc. */
#define INTERCEPT_SHUTDOWN	BIT_ULL(31)
#define INTERCEPT_VMRUN		BIT_ULL(32)
#define INTERCEPT_VMMCALL	BIT_ULL(33)

#define SVM_EXIT_EXCP_BASE	0x040
#define SVM_EXIT_INIT		0x063
#define SVM_EXIT_SHUTDOWN	0x07f
#define SVM_EXIT_VMMCALL	0x081
#define SVM_EXIT_NPF		0x400
#define SVM_EXIT_ERR		(~0ULL)

#define SVM_NESTED_CTL_NP_ENABLE	BIT(0)
#define TLB_CONTROL_FLUSH_ALL_ASID	1

/* EXITINFO1 of a nested page fault, above the bits of a page fault. */
#define NPF_GUEST_FINAL		BIT_ULL(32)
#define NPF_GUEST_PAGE		BIT_ULL(33)

struct vmcb_seg {
	uint16_t selector, attrib;
	uint32_t limit;
	uint64_t base;
};

struct vmcb_control_area {
	uint16_t intercept_cr_read, intercept_cr_write;
	uint16_t intercept_dr_read, intercept_dr_write;
	uint32_t intercept_exceptions;
	uint64_t intercept;
	uint8_t reserved_14[0x40 - 0x14];
	uint64_t iopm_base_pa, msrpm_base_pa, tsc_offset;
	uint32_t asid;
	uint8_t tlb_ctl, reserved_5d[3];
	uint64_t int_ctl, int_state;
	uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info;
	uint64_t nested_ctl;
	uint8_t reserved_98[0xa8 - 0x98];
	uint64_t event_inj, nested_cr3, virt_ext;
	uint32_t clean, reserved_c4;
	uint64_t next_rip;
	uint8_t reserved_d0[0x400 - 0xd0];
} __attribute__((packed));

struct vmcb_save_area {
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_a0[0xcb - 0xa0];
	uint8_t cpl;
	uint32_t reserved_cc;
	uint64_t efer;
	uint8_t reserved_d8[0x148 - 0xd8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_180[0x1d8 - 0x180];
	uint64_t rsp;
	uint8_t reserved_1e0[0x1f8 - 0x1e0];
	uint64_t rax;
	uint8_t reserved_200[0x240 - 0x200];
	uint64_t cr2;
	uint8_t reserved_248[0x268 - 0x248];
	uint64_t g_pat;
	uint8_t reserved_270[0xc00 - 0x270];
} __attribute__((packed));

struct vmcb {
	struct vmcb_control_area control;
	struct vmcb_save_area save;
} __attribute__((packed));

_Static_assert(__builtin_offsetof(struct vmcb, control.nested_cr3) == 0xb0 &&
	       __builtin_offsetof(struct vmcb, save.efer) == 0x4d0 &&
	       __builtin_offsetof(struct vmcb, save.rax) == 0x5f8 &&
	       __builtin_offsetof(struct vmcb, save.g_pat) == 0x668 &&
	       sizeof(struct vmcb) == 4096, "VMCB");

struct svm_test_data {
	struct vmcb *vmcb;
	gpa_t vmcb_gpa, save_area_gpa;
};

/* The host's: pages for L1. */
void vcpu_alloc_svm(struct kvm_vm *vm, struct svm_test_data *svm);

/* Turns SVM on, and has L2 be what L1 is itself, at @guest_rip. */
void generic_svm_setup(struct svm_test_data *svm, void *guest_rip, void *guest_rsp);
/* VMRUN with @arg in L2's RDI; its other general registers are lost. */
void run_guest(gpa_t vmcb_gpa, void *arg);

static inline void invlpga(gva_t gva, uint32_t asid)
{
	asm volatile("invlpga %%rax, %%ecx" : : "a"(gva), "c"(asid) : "memory");
}

#endif /* SELFTEST_KVM_SVM_H */
