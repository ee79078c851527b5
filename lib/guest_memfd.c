// SPDX-License-Identifier: GPL-2.0-only
/* guest_memfd, memory attributes, and slots that have both kinds of memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

#include "kvm_util.h"

int __vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags)
{
	struct kvm_create_guest_memfd args = { .size = size, .flags = flags };

	return __vm_ioctl(vm, KVM_CREATE_GUEST_MEMFD, &args);
}

int vm_create_guest_memfd(struct kvm_vm *vm, uint64_t size, uint64_t flags)
{
	int fd = __vm_create_guest_memfd(vm, size, flags);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, fd >= 0,
			   "KVM_CREATE_GUEST_MEMFD size 0x%lx flags 0x%lx returned %d, errno %d (%s)",
			   size, flags, fd, errno, strerror(errno));
	/* As vcpu and VM fds are, for a VMM that dies by exec. */
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int __vm_set_user_memory_region2(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
				 gpa_t gpa, uint64_t size, void *hva,
				 uint32_t guest_memfd, uint64_t guest_memfd_offset)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
		.guest_memfd = guest_memfd,
		.guest_memfd_offset = guest_memfd_offset,
	};
	int ret = __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);

	if (!ret)
		vm->memslot_updates++;
	return ret;
}

void vm_set_user_memory_region2(struct kvm_vm *vm, uint32_t slot, uint32_t flags,
				gpa_t gpa, uint64_t size, void *hva,
				uint32_t guest_memfd, uint64_t guest_memfd_offset)
{
	int ret = __vm_set_user_memory_region2(vm, slot, flags, gpa, size, hva,
					       guest_memfd, guest_memfd_offset);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret,
			   "KVM_SET_USER_MEMORY_REGION2 slot %u flags 0x%x gpa 0x%lx size 0x%lx hva %p guest_memfd offset 0x%lx: returned %d, errno %d (%s)",
			   slot, flags, gpa, size, hva, guest_memfd_offset, ret,
			   errno, strerror(errno));
}

int __vm_set_memory_attributes(struct kvm_vm *vm, gpa_t gpa, uint64_t size,
			       uint64_t attributes)
{
	struct kvm_memory_attributes args = {
		.address = gpa, .size = size, .attributes = attributes,
	};

	return __vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &args);
}

void vm_set_memory_attributes(struct kvm_vm *vm, gpa_t gpa, uint64_t size,
			      uint64_t attributes)
{
	int ret = __vm_set_memory_attributes(vm, gpa, size, attributes);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret,
			   "KVM_SET_MEMORY_ATTRIBUTES gpa 0x%lx size 0x%lx attributes 0x%lx returned %d, errno %d (%s)",
			   gpa, size, attributes, ret, errno, strerror(errno));
}

void vm_guest_mem_punch_hole(struct kvm_vm *vm, gpa_t gpa, uint64_t size)
{
	const gpa_t end = gpa + size;
	struct userspace_mem_region *r;
	uint64_t len;

	for (; gpa < end; gpa += len) {
		r = vm_find_gpa(vm, gpa);
		TEST_ERROR_ON(!r || r->guest_memfd < 0,
			      "gpa 0x%lx has no guest_memfd", gpa);
		len = r->gpa + r->size < end ? r->gpa + r->size - gpa : end - gpa;
		TEST_ASSERT_ORACLE(ORACLE_ERRNO,
				   !fallocate(r->guest_memfd,
					      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					      r->guest_memfd_offset + gpa - r->gpa, len),
				   "punching 0x%lx bytes at gpa 0x%lx out of a guest_memfd: errno %d (%s)",
				   len, gpa, errno, strerror(errno));
	}
}
