/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dirty rings: KVM API document, section 8.29. One per vCPU, shared with KVM.
 */
#ifndef SELFTEST_KVM_DIRTY_RING_H
#define SELFTEST_KVM_DIRTY_RING_H

#include "kvm_util.h"

/*
 * Entries of the smallest ring that KVM takes everywhere: a power of two, with room for
 * the 512 that come at once where the CPU logs by itself (PML), and for 64 more.
 */
#define DIRTY_RING_MIN	1024U

struct dirty_ring {
	struct kvm_vcpu *vcpu;
	volatile struct kvm_dirty_gfn *gfns;
	uint32_t size;		/* entries */
	uint32_t fetch;		/* the next one to harvest, counted without end */
};

/* Of every vCPU that is created later; @size is in entries. */
void dirty_ring_enable(struct kvm_vm *vm, uint32_t size);
void dirty_ring_map(struct dirty_ring *ring, struct kvm_vcpu *vcpu, uint32_t size);

/* Harvests one entry; false when there is none. */
bool dirty_ring_pop(struct dirty_ring *ring, uint32_t *slot, uint64_t *offset);

/* Gives harvested entries of all rings back; there must be @n of them. */
void dirty_ring_reset(struct kvm_vm *vm, uint32_t n);

#endif /* SELFTEST_KVM_DIRTY_RING_H */
