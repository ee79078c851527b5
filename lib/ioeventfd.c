// SPDX-License-Identifier: GPL-2.0-only
/* Eventfds of a guest, see ioeventfd.h. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ioeventfd.h"

int __vm_ioeventfd(struct kvm_vm *vm, int fd, uint64_t addr, uint32_t len,
		   uint64_t datamatch, uint32_t flags)
{
	struct kvm_ioeventfd args = {
		.fd = fd, .addr = addr, .len = len, .datamatch = datamatch,
		.flags = flags,
	};

	return __vm_ioctl(vm, KVM_IOEVENTFD, &args);
}

void vm_ioeventfd(struct kvm_vm *vm, int fd, uint64_t addr, uint32_t len,
		  uint64_t datamatch, uint32_t flags)
{
	__assert_ioctl(__vm_ioeventfd(vm, fd, addr, len, datamatch, flags), KVM_IOEVENTFD);
}

int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	TEST_ERROR_ON(fd < 0, "eventfd");
	return fd;
}

uint64_t eventfd_signals(int fd)
{
	uint64_t count = 0;

	if (read(fd, &count, sizeof(count)) != sizeof(count))
		TEST_ERROR_ON(errno != EAGAIN, "read from an eventfd");
	return count;
}
