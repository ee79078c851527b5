/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System management mode: a vCPU that is in it sees another address space, with
 * memslots of its own (KVM_CAP_MULTI_ADDRESS_SPACE).
 */
#ifndef SELFTEST_KVM_SMM_H
#define SELFTEST_KVM_SMM_H

#include "kvm_test.h"
#include "kvm_util.h"

/* Ids of SMM's memslots. */
#define SMM_SLOT(slot)		(1U << 16 | (slot))

/* Without CONFIG_KVM_SMM the kernel has neither. */
#define NEED_CAPS_SMM							\
	NEED_CAPS(NEED_CAP(KVM_CAP_X86_SMM),				\
		  NEED_CAP(KVM_CAP_MULTI_ADDRESS_SPACE))

/* Slot 0 becomes a slot of SMM's as well, so that guest code goes on in there. */
void vm_smm_init(struct kvm_vm *vm);

/*
 * In or out by KVM_SET_VCPU_EVENTS, with all registers as they are; the vCPU is
 * not running meanwhile.
 */
void vcpu_set_smm(struct kvm_vcpu *vcpu, bool smm);
/*
 * For cases in which SMM's slots come to be where the vCPU saw a gap last, on kernels
 * that compare the generation of the wrong address space.
 */
void smm_skip_known_bug(void);
/* The vCPU must be there, and its last exit must have said so. */
void vcpu_expect_smm(struct kvm_vcpu *vcpu, bool smm);

/*
 * ---- in by an SMI ----
 * The handler, in real mode, does single accesses on the host's order.
 */

enum smm_op {
	SMM_READ,		/* 4 bytes, below 4G */
	SMM_WRITE,
	SMM_RSM,		/* back to where the SMI came */
};

/* SMRAM with the handler, a memslot @slot of SMM's only. */
void vm_smi_handler_init(struct kvm_vm *vm, uint32_t slot);
/* For vCPUs that run no more than one at a time: there is one handler. */
void vcpu_smi(struct kvm_vcpu *vcpu);
/*
 * Before the vCPU runs, and then: it must have done this without an exit in
 * between, and returns what it read.
 */
void vcpu_smm_order(struct kvm_vcpu *vcpu, enum smm_op op, uint32_t gpa,
		    uint32_t value);
uint32_t vcpu_smm_finish(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_SMM_H */
