// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory under userfaultfd(2), see include/userfault.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm_util.h"
#include "userfault.h"

#define FAULT_SECONDS	4

int userfault_open(const struct backing_mem *mem, uint64_t mode)
{
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem->hva, mem->size }, .mode = mode,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	__TEST_REQUIRE(fd >= 0, "needs userfaultfd(2) for the kernel's faults, %s: run as root, or set vm.unprivileged_userfaultfd",
		       strerror(errno));
	if (mode & UFFDIO_REGISTER_MODE_WP)
		api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP;
	__TEST_REQUIRE(!ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg),
		       "needs userfaultfd(2) with mode 0x%lx", mode);
	return fd;
}

static bool wait_for_message(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	do {
		r = poll(&pfd, 1, ms);
	} while (r < 0 && errno == EINTR);
	return r == 1;
}

bool userfault_pending(int fd)
{
	return wait_for_message(fd, 0);
}

size_t userfault_wait(int fd, const struct backing_mem *mem, uint64_t flags)
{
	const int ms = test_seconds(FAULT_SECONDS) * 1000;
	struct uffd_msg msg = {};
	uintptr_t offset;

	TEST_ASSERT_ORACLE(ORACLE_HANG, wait_for_message(fd, ms),
			   "the guest touches memory that was taken away or protected, but no fault of it has reached the host in %d ms",
			   ms);
	TEST_ERROR_ON(read(fd, &msg, sizeof(msg)) != sizeof(msg), "userfaultfd");
	offset = msg.arg.pagefault.address - (uintptr_t)mem->hva;
	TEST_ASSERT(msg.event == UFFD_EVENT_PAGEFAULT && offset < mem->size &&
		    (msg.arg.pagefault.flags & flags) == flags,
		    "userfaultfd reports event 0x%x at 0x%lx of 0x%lx bytes with flags 0x%llx, want a fault with flags 0x%lx",
		    msg.event, offset, mem->size, msg.arg.pagefault.flags, flags);
	return offset / PAGE_SIZE;
}

void userfault_take_away(const struct backing_mem *mem)
{
	TEST_ERROR_ON(madvise(mem->hva, mem->size, MADV_DONTNEED), "MADV_DONTNEED");
}

int __userfault_give(int fd, const struct backing_mem *mem, size_t page, const void *data)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)mem->hva + page * PAGE_SIZE,
		.src = (uintptr_t)data + page * PAGE_SIZE, .len = PAGE_SIZE,
	};

	return ioctl(fd, UFFDIO_COPY, &copy);
}

void userfault_give(int fd, const struct backing_mem *mem, size_t page, const void *data)
{
	TEST_ERROR_ON(__userfault_give(fd, mem, page, data), "UFFDIO_COPY of page %zu", page);
}
