// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "dirty_ring.h"
#include "kvm_compat.h"

void dirty_ring_enable(struct kvm_vm *vm, uint32_t size)
{
	vm_enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, size * sizeof(struct kvm_dirty_gfn));
}

void dirty_ring_map(struct dirty_ring *ring, struct kvm_vcpu *vcpu, uint32_t size)
{
	*ring = (struct dirty_ring){ .vcpu = vcpu, .size = size };
	ring->gfns = mmap(NULL, size * sizeof(*ring->gfns), PROT_READ | PROT_WRITE,
			  MAP_SHARED, vcpu->fd, KVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ring->gfns != MAP_FAILED,
			   "vCPU %u: cannot map a dirty ring of %u entries, errno %d (%s)",
			   vcpu->id, size, errno, strerror(errno));
}

bool dirty_ring_pop(struct dirty_ring *ring, uint32_t *slot, uint64_t *offset)
{
	volatile struct kvm_dirty_gfn *gfn = &ring->gfns[ring->fetch % ring->size];
	uint32_t flags = __atomic_load_n(&gfn->flags, __ATOMIC_ACQUIRE);

	if (!flags)
		return false;
	TEST_ASSERT(flags == KVM_DIRTY_GFN_F_DIRTY,
		    "vCPU %u: entry %u of the dirty ring, not harvested yet, has flags 0x%x",
		    ring->vcpu->id, ring->fetch, flags);
	*slot = gfn->slot;
	*offset = gfn->offset;
	__atomic_store_n(&gfn->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	ring->fetch++;
	return true;
}

void dirty_ring_reset(struct kvm_vm *vm, uint32_t n)
{
	int ret = __vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, NULL);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret >= 0 && (uint32_t)ret == n,
			   "KVM_RESET_DIRTY_RINGS after %u harvested entries returned %d, errno %d (%s)",
			   n, ret, errno, strerror(errno));
}
