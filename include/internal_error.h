/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_EXIT_INTERNAL_ERROR where it is what must come: is it all there? */
#ifndef SELFTEST_KVM_INTERNAL_ERROR_H
#define SELFTEST_KVM_INTERNAL_ERROR_H

#include "kvm_util.h"

struct internal_error {
	uint32_t suberror;
	gva_t rip;			/* where the vCPU stands */
	/* KVM_INTERNAL_ERROR_EMULATION only: */
	unsigned int insn_size;		/* bytes at rip that KVM can read, at least */
	bool exit_on_failure;		/* KVM_CAP_EXIT_ON_EMULATION_FAILURE is on */
	bool after_mmio;		/* it answers an MMIO exit */
	/* KVM_INTERNAL_ERROR_DELIVERY_EV only: */
	uint8_t vector;			/* of the event */
	gpa_t page_gpa;			/* what its delivery could not reach */
	gva_t page_gva;
};

/*
 * KVM_RUN, with the room for the exit's data filled, so that what KVM writes
 * shows. The exit is the caller's to judge, a negative KVM_RUN fails the case.
 */
void vcpu_run_poisoned(struct kvm_vcpu *vcpu);
/* As above, but a signal comes after @ms: false when that was the end. */
bool vcpu_run_poisoned_for(struct kvm_vcpu *vcpu, unsigned int ms);

/*
 * The last exit must be this one; RIP, flags, size and bytes of the instruction
 * are compared, and ndata with the words that KVM wrote.
 */
void vcpu_check_internal_error(struct kvm_vcpu *vcpu,
			       const struct internal_error *want);

#endif /* SELFTEST_KVM_INTERNAL_ERROR_H */
