// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest_memfd that the host may map, since Linux 6.18: what the host touches there is
 * zero at first, whoever had the memory before; up to the end of the file and no further;
 * and only if the file says that its memory is shared from the beginning.
 *
 * What breaks it: a fault of the host's that does without one of the checks or the
 * clearing which a guest's fault does.
 *
 * guest_memfd_test has what guests see of it.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_test_harness.h"
#include "kvm_util.h"

KVM_TEST_SUITE(guest_memfd_mmap_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_GUEST_MEMFD_FLAGS)), .mem_mb = 64 });

#define NR_PAGES	256UL
#define SIZE		(NR_PAGES * PAGE_SIZE)
#define SHARED		(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED)

static int create(struct kvm_vm *vm, uint64_t flags)
{
	__TEST_REQUIRE((kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & flags) == flags,
		       "needs guest_memfd flags 0x%lx", flags);
	return vm_create_guest_memfd(vm, SIZE, flags);
}

static uint64_t *map(int fd, size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, mem != MAP_FAILED, "mmap of 0x%zx bytes: errno %d",
			   size, errno);
	return mem;
}

/* A system call says EFAULT where an access would be a SIGBUS. */
static void expect_no_memory(const void *addr, const char *where)
{
	ssize_t n;
	int fds[2];

	TEST_ERROR_ON(pipe(fds), "pipe: errno %d", errno);
	n = write(fds[1], addr, 1);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, n < 0 && errno == EFAULT,
			   "%s: the host gets at a byte there (write() is %zd, errno %d), want EFAULT",
			   where, n, n < 0 ? errno : 0);
	close(fds[0]);
	close(fds[1]);
}

KVM_TEST(memory_is_zero_at_first)
{
	struct kvm_vm *vm = vm_create(1);
	uint64_t *mem;
	unsigned int i, j;
	int fd;

	for (i = 0; i < 4; i++) {
		breadcrumb("file %u", i);
		fd = create(vm, SHARED);
		mem = map(fd, SIZE);
		for (j = 0; j < SIZE / 8; j++)
			TEST_ASSERT(!mem[j], "file %u is new, and word %u of it is 0x%lx", i, j,
				    mem[j]);
		memset(mem, 0xa0 + i, SIZE);
		munmap(mem, SIZE);
		close(fd);
	}
	kvm_vm_free(vm);
}

KVM_TEST(memory_ends_with_the_file)
{
	struct kvm_vm *vm = vm_create(1);
	int fd = create(vm, SHARED);
	char *mem = (char *)map(fd, 2 * SIZE);

	mem[SIZE - 1] = 1;
	expect_no_memory(mem + SIZE, "the page behind the end of the file");
	expect_no_memory(mem + 2 * SIZE - 1, "long behind the end of the file");
	munmap(mem, 2 * SIZE);
	close(fd);
	kvm_vm_free(vm);
}

KVM_TEST(memory_that_is_not_shared_is_not_the_hosts)
{
	struct kvm_vm *vm = vm_create(1);
	int fd = create(vm, GUEST_MEMFD_FLAG_MMAP);
	char *mem = (char *)map(fd, SIZE);

	expect_no_memory(mem, "the first page");
	expect_no_memory(mem + SIZE - 1, "the last page");
	munmap(mem, SIZE);
	close(fd);
	kvm_vm_free(vm);
}

KVM_TEST(private_mapping_is_refused)
{
	struct kvm_vm *vm = vm_create(1);
	int fd = create(vm, SHARED);
	void *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, mem == MAP_FAILED && errno == EINVAL,
			   "MAP_PRIVATE: %s, want EINVAL",
			   mem == MAP_FAILED ? strerror(errno) : "mapped");
	close(fd);
	fd = create(vm, 0);
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, mem == MAP_FAILED && errno == ENODEV,
			   "mmap without GUEST_MEMFD_FLAG_MMAP: %s, want ENODEV",
			   mem == MAP_FAILED ? strerror(errno) : "mapped");
	close(fd);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
