/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the host's and the guest's part of include/nested.h. */
#ifndef SELFTEST_KVM_NESTED_INTERNAL_H
#define SELFTEST_KVM_NESTED_INTERNAL_H

#include "nested.h"

/* Who has done what was ordered. */
enum { NESTED_STAGE_L1 = 1, NESTED_STAGE_L2 };

void l1_main(struct nested_box *box);

/* What KVM_GET_MSRS and KVM_SET_MSRS take, with room for one. */
union one_msr {
	struct kvm_msrs msrs;
	char room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
};

static inline bool nested_is_ept(const struct nested *n)
{
	return n->paging && !n->amd;
}

/* SVM's nested page tables have as many levels as L1's own (APM vol. 2 section 15.25). */
static inline int nested_top_level(const struct nested *n)
{
	return nested_is_ept(n) ? PG_LEVEL_512G : n->vm->top_level;
}

#endif /* SELFTEST_KVM_NESTED_INTERNAL_H */
