/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that runs jobs on two gaps, which can be closed with RAM and opened again. */
#ifndef SELFTEST_KVM_GAP_GUEST_H
#define SELFTEST_KVM_GAP_GUEST_H

#include "guest_job.h"

#define GAP_RAM_SLOT	1		/* + gap: the page below each gap */
#define GAP_SLOT	3		/* + gap: put there to close the gap */

struct gap_guest {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;		/* runs guest_job_loop() */
	struct backing_mem ram[2];	/* a page each, closes the gap */
	gva_t gva[2];			/* of the gaps; a page of RAM is below each */
	bool cap;
	bool ro_slot;			/* the "gap" is a slot that is read-only */
	unsigned int round;		/* the caller's */
};

/* Of gap 0 or 1, one page each; their leafs are in different tables. */
gpa_t gap_gpa(int gap);

/*
 * Both gaps are open. With @cap KVM_CAP_EXIT_ON_EMULATION_FAILURE is on, and the
 * case is skipped where the kernel lacks it.
 */
void gap_guest_create(struct gap_guest *g, bool cap);
/* Instead of gaps there are slots of RAM that are read-only. */
void gap_guest_use_readonly_slots(struct gap_guest *g);

/* While no vCPU runs, or one that is to see it. */
void gap_close(struct gap_guest *g, int gap);
void gap_open(struct gap_guest *g, int gap);

/* The job ends with this vector of an exception or event, 0 for none. */
void gap_guest_expect_vector(struct gap_guest *g, uint64_t vector, struct ucall *uc);

#endif /* SELFTEST_KVM_GAP_GUEST_H */
