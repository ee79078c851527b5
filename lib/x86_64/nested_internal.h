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

#endif /* SELFTEST_KVM_NESTED_INTERNAL_H */
