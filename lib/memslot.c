// SPDX-License-Identifier: GPL-2.0-only
/* Memslots and what is behind a gpa. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test_internal.h"

int __vm_set_user_memory_region(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
				gpa_t gpa, uint64_t size, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};
	int ret = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);

	if (!ret)
		vm->memslot_updates++;
	return ret;
}

void vm_set_user_memory_region(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
			       gpa_t gpa, uint64_t size, void *hva)
{
	int ret = __vm_set_user_memory_region(vm, slot, flags, gpa, size, hva);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret,
			   "KVM_SET_USER_MEMORY_REGION slot %u flags 0x%x gpa 0x%lx size 0x%lx hva %p: returned %d, errno %d (%s)",
			   slot, flags, gpa, size, hva, ret, errno,
			   strerror(errno));
}

struct userspace_mem_region *vm_get_mem_region(struct kvm_vm *vm, uint32_t slot)
{
	struct userspace_mem_region *r = vm->regions;

	while (r && r->slot != slot)
		r = r->next;
	return r;
}

static struct userspace_mem_region *region_of(struct kvm_vm *vm, uint32_t slot)
{
	struct userspace_mem_region *r = vm_get_mem_region(vm, slot);

	TEST_ERROR_ON(!r, "the VM has no slot %u", slot);
	return r;
}

/* Each address space has slots of its own for the same gpas. */
static unsigned int slot_as_id(uint32_t slot)
{
	return slot >> 16;
}

static struct userspace_mem_region *find_gpa(struct kvm_vm *vm, unsigned int as_id,
					     gpa_t gpa)
{
	struct userspace_mem_region *r = vm->regions;

	while (r && (slot_as_id(r->slot) != as_id ||
		     !(gpa >= r->gpa && gpa - r->gpa < r->size)))
		r = r->next;
	return r;
}

struct userspace_mem_region *vm_find_gpa(struct kvm_vm *vm, gpa_t gpa)
{
	return find_gpa(vm, 0, gpa);
}

static struct userspace_mem_region *
region_add(struct kvm_vm *vm, uint32_t slot, gpa_t gpa, size_t size,
	   uint32_t flags)
{
	struct userspace_mem_region *r = calloc(1, sizeof(*r));

	TEST_ERROR_ON(!r, "no memory for a memslot");
	TEST_ERROR_ON(vm_get_mem_region(vm, slot), "slot %u is in use", slot);
	r->slot = slot;
	r->gpa = gpa;
	r->size = size;
	r->flags = flags;
	r->guest_memfd = -1;
	return r;
}

/*
 * Each time KVM makes new memslots current, their generation moves by the number
 * of address spaces, which is two (the other one is SMM's, with a generation of
 * its own). A slot that is created or changes its flags takes one such step; one
 * that is deleted or moved takes two, for it is marked invalid first.
 */
static void generation_moves(struct kvm_vm *vm, uint32_t slot, unsigned int steps)
{
	if (slot_as_id(slot))
		vm->smm_memslot_generation += 2 * steps;
	else
		vm->memslot_generation += 2 * steps;
}

static void region_set(struct kvm_vm *vm, struct userspace_mem_region *r,
		       unsigned int steps)
{
	if (r->guest_memfd < 0)
		vm_set_user_memory_region(vm, r->slot, r->flags, r->gpa, r->size,
					  r->mem.hva);
	else
		vm_set_user_memory_region2(vm, r->slot, r->flags, r->gpa, r->size,
					   r->mem.hva, r->guest_memfd,
					   r->guest_memfd_offset);
	generation_moves(vm, r->slot, steps);
}

static void region_unset(struct kvm_vm *vm, struct userspace_mem_region *r)
{
	vm_set_user_memory_region(vm, r->slot, 0, r->gpa, 0, NULL);
	generation_moves(vm, r->slot, 2);
}

void vm_userspace_mem_region_add(struct kvm_vm *vm,
				 enum vm_mem_backing_src_type src_type,
				 gpa_t gpa, uint32_t slot, uint64_t npages,
				 uint32_t flags)
{
	vm_mem_add(vm, src_type, gpa, slot, npages, flags, -1, 0);
}

void vm_mem_add(struct kvm_vm *vm, enum vm_mem_backing_src_type src_type, gpa_t gpa,
		uint32_t slot, uint64_t npages, uint32_t flags, int guest_memfd,
		uint64_t guest_memfd_offset)
{
	struct backing_mem mem;

	if (src_type == VM_MEM_SRC_GUEST_MEMFD)
		backing_mem_map_fd(&mem, src_type, npages * PAGE_SIZE, gpa, guest_memfd,
				   guest_memfd_offset);
	else
		backing_mem_alloc(&mem, src_type, npages * PAGE_SIZE, gpa);
	vm_mem_add_backing(vm, &mem, mem.hva, gpa, slot, npages, flags, guest_memfd,
			   guest_memfd_offset);
	vm->regions->owns_mem = true;
}

void vm_mem_add_backing(struct kvm_vm *vm, const struct backing_mem *mem, void *hva,
			gpa_t gpa, uint32_t slot, uint64_t npages, uint32_t flags,
			int guest_memfd, uint64_t guest_memfd_offset)
{
	struct userspace_mem_region *r;

	if (guest_memfd >= 0)
		flags |= KVM_MEM_GUEST_MEMFD;
	r = region_add(vm, slot, gpa, npages * PAGE_SIZE, flags);
	r->mem = *mem;
	r->mem.hva = hva;
	r->guest_memfd = guest_memfd;
	r->guest_memfd_offset = guest_memfd_offset;
	region_set(vm, r, 1);
	r->next = vm->regions;
	vm->regions = r;
}

void vm_mem_region_add_backing(struct kvm_vm *vm, const struct backing_mem *mem,
			       void *hva, gpa_t gpa, uint32_t slot,
			       uint64_t npages, uint32_t flags)
{
	vm_mem_add_backing(vm, mem, hva, gpa, slot, npages, flags, -1, 0);
}

void vm_mem_region_set_flags(struct kvm_vm *vm, uint32_t slot, uint32_t flags)
{
	struct userspace_mem_region *r = region_of(vm, slot);
	bool changed = r->flags != flags;

	r->flags = flags;
	region_set(vm, r, changed ? 1 : 0);
}

void vm_mem_region_move(struct kvm_vm *vm, uint32_t slot, gpa_t new_gpa)
{
	struct userspace_mem_region *r = region_of(vm, slot);
	bool changed = r->gpa != new_gpa;

	r->gpa = new_gpa;
	region_set(vm, r, changed ? 2 : 0);
}

void vm_mem_region_delete(struct kvm_vm *vm, uint32_t slot)
{
	struct userspace_mem_region **link = &vm->regions;
	struct userspace_mem_region *r = region_of(vm, slot);

	region_unset(vm, r);
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	if (r->owns_mem)
		backing_mem_free(&r->mem);
	free(r);
}

void vm_mem_region_reload(struct kvm_vm *vm, uint32_t slot)
{
	struct userspace_mem_region *r = region_of(vm, slot);

	region_unset(vm, r);
	region_set(vm, r, 1);
}

static int describe_gpa(struct kvm_vm *vm, unsigned int as_id, gpa_t gpa, char *buf,
			size_t size)
{
	struct userspace_mem_region *r = find_gpa(vm, as_id, gpa);
	struct userspace_mem_region *below = NULL, *above = NULL;
	char low[64] = "the bottom", high[64] = "the top";

	if (r)
		return snprintf(buf, size, "slot %u [gpa 0x%lx-0x%lx) %s flags 0x%x",
				r->slot, r->gpa, r->gpa + r->size,
				vm_mem_backing_src_name(r->mem.type), r->flags);
	for (r = vm->regions; r; r = r->next) {
		if (slot_as_id(r->slot) != as_id)
			continue;
		if (r->gpa <= gpa && (!below || r->gpa > below->gpa))
			below = r;
		if (r->gpa > gpa && (!above || r->gpa < above->gpa))
			above = r;
	}
	if (below)
		snprintf(low, sizeof(low), "slot %u's end 0x%lx", below->slot,
			 below->gpa + below->size);
	if (above)
		snprintf(high, sizeof(high), "slot %u's start 0x%lx", above->slot,
			 above->gpa);
	return snprintf(buf, size, "gap between %s and %s", low, high);
}

const char *vm_describe_gpa(struct kvm_vm *vm, gpa_t gpa, char *buf, size_t size)
{
	struct userspace_mem_region *r = vm->regions;
	size_t n = describe_gpa(vm, 0, gpa, buf, size);

	while (r && !slot_as_id(r->slot))
		r = r->next;
	if (r && n < size)
		n += snprintf(buf + n, size - n, "; in SMM ");
	if (r && n < size)
		describe_gpa(vm, 1, gpa, buf + n, size - n);
	return buf;
}

void *addr_gpa2hva(struct kvm_vm *vm, gpa_t gpa)
{
	struct userspace_mem_region *r = vm_find_gpa(vm, gpa);

	TEST_ERROR_ON(!r, "no memslot has gpa 0x%lx", gpa);
	return (char *)r->mem.hva + (gpa - r->gpa);
}

gpa_t addr_hva2gpa(struct kvm_vm *vm, void *hva)
{
	struct userspace_mem_region *r;

	for (r = vm->regions; r; r = r->next) {
		if ((char *)hva >= (char *)r->mem.hva &&
		    (size_t)((char *)hva - (char *)r->mem.hva) < r->size)
			return r->gpa + ((char *)hva - (char *)r->mem.hva);
	}
	test_fail(ORACLE_ERROR, __FILE__, __LINE__, NULL, "no memslot has hva %p",
		  hva);
}

void *addr_gva2hva(struct kvm_vm *vm, gva_t gva)
{
	return addr_gpa2hva(vm, addr_gva2gpa(vm, gva));
}

void kvm_vm_get_dirty_log(struct kvm_vm *vm, int slot, void *log)
{
	struct kvm_dirty_log args = { .slot = slot, .dirty_bitmap = log };

	vm_ioctl(vm, KVM_GET_DIRTY_LOG, &args);
}

gpa_t vm_untouched_pages_alloc(struct kvm_vm *vm, size_t num)
{
	struct userspace_mem_region *r = region_of(vm, VM_SYS_SLOT);
	gpa_t gpa = vm->next_sys_gpa;

	TEST_ERROR_ON(gpa + num * PAGE_SIZE > r->gpa + r->size,
		      "slot 0 has no %zu pages left", num);
	vm->next_sys_gpa += num * PAGE_SIZE;
	return gpa;
}

gpa_t vm_phy_pages_alloc(struct kvm_vm *vm, size_t num)
{
	gpa_t gpa = vm_untouched_pages_alloc(vm, num);

	memset(addr_gpa2hva(vm, gpa), 0, num * PAGE_SIZE);
	return gpa;
}

gva_t vm_map_gpa(struct kvm_vm *vm, gpa_t gpa, size_t size)
{
	size_t npages = align_up(size, PAGE_SIZE) / PAGE_SIZE;
	gva_t gva = vm->next_gva;

	virt_map(vm, gva, gpa, npages);
	/* An unmapped page behind each mapping, so that an overrun faults. */
	vm->next_gva += (npages + 1) * PAGE_SIZE;
	return gva;
}

gva_t vm_alloc(struct kvm_vm *vm, size_t size)
{
	size_t npages = align_up(size, PAGE_SIZE) / PAGE_SIZE;

	return vm_map_gpa(vm, vm_phy_pages_alloc(vm, npages), size);
}

void virt_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa, unsigned int npages)
{
	unsigned int i;

	for (i = 0; i < npages; i++)
		virt_pg_map(vm, gva + i * PAGE_SIZE, gpa + i * PAGE_SIZE);
}
