/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hyper-V's hypercalls, as KVM has them for its guests. Numbers and layouts: Microsoft's
 * Hypervisor Top Level Functional Specification.
 */
#ifndef SELFTEST_KVM_HYPERV_H
#define SELFTEST_KVM_HYPERV_H

#include "processor.h"

#define HV_X64_MSR_GUEST_OS_ID		0x40000000
#define HV_X64_MSR_HYPERCALL		0x40000001
#define HV_X64_MSR_REFERENCE_TSC	0x40000021
#define HV_X64_MSR_VP_ASSIST_PAGE	0x40000073

#define HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE	0x0002
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST	0x0003
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX	0x0013
#define HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX	0x0014

#define HV_FLUSH_ALL_PROCESSORS			BIT(0)
#define HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES	BIT(1)

/* In the hypercall's control word. */
#define HV_HYPERCALL_VARHEAD_OFFSET	17	/* 8 bytes each */
#define HV_HYPERCALL_REP_COMP_OFFSET	32

#define HV_GENERIC_SET_SPARSE_4K	0
#define HV_GENERIC_SET_ALL		1

/* The vCPU, which has not run, gets Hyper-V's CPUID leafs instead of KVM's own. */
void vcpu_enable_hyperv(struct kvm_vcpu *vcpu);

/*
 * Guest code, with the input at gpa @input. Returns what the hypervisor does: a status
 * in bits 15:0, and from HV_HYPERCALL_REP_COMP_OFFSET on how many elements are done.
 */
uint64_t hyperv_hypercall(bool amd, uint64_t control, gpa_t input);

#endif /* SELFTEST_KVM_HYPERV_H */
