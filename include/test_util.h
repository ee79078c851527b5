/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assertions, breadcrumbs and backing memory: what a test needs before it has
 * a VM. Everything here may be called in the case's process only, not in
 * guest code (see ucall.h for GUEST_ASSERT).
 */
#ifndef SELFTEST_KVM_TEST_UTIL_H
#define SELFTEST_KVM_TEST_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))

#define SZ_4K			0x1000UL
#define SZ_64K			0x10000UL
#define SZ_1M			0x100000UL
#define SZ_2M			0x200000UL
#define SZ_1G			0x40000000UL
#define SZ_4G			0x100000000UL

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#endif

#define align_up(x, size)	(((x) + (size) - 1) & ~((__typeof__(x))(size) - 1))
#define align_down(x, size)	((x) & ~((__typeof__(x))(size) - 1))

#ifndef __printf
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#endif

/*
 * Which watcher found the fault. The word is printed with the failure
 * ("# oracle: errno") and is what the corpus reports as "how".
 */
enum oracle {
	ORACLE_EXIT,	/* an exit that the case did not ask for */
	ORACLE_ERRNO,	/* an ioctl's errno, KVM_RUN's first of all */
	ORACLE_DATA,	/* what the guest or the host read was wrong */
	ORACLE_LOG,	/* the kernel log or the taint flags */
	ORACLE_STATS,	/* KVM's statistics */
	ORACLE_HANG,	/* a deadline has passed */
	ORACLE_LEAK,	/* the host is not as it was */
	ORACLE_ERROR,	/* the test or its environment broke, not KVM */
	NR_ORACLES,
};

const char *oracle_name(enum oracle oracle);

/*
 * Prints the failure, the state of every live VM, and ends the case's process.
 * Takes the place of exit(): safe in any thread of the case.
 */
void __attribute__((noreturn)) __printf(5, 6)
test_fail(enum oracle oracle, const char *file, int line, const char *expr,
	  const char *fmt, ...);

/* Ends the case as SKIP with this reason; say what is missing and what to do. */
void __attribute__((noreturn)) __printf(1, 2) test_skip(const char *fmt, ...);

#define TEST_ASSERT_ORACLE(oracle, e, fmt, ...)					\
do {										\
	if (!(e))								\
		test_fail(oracle, __FILE__, __LINE__, #e, fmt, ##__VA_ARGS__);	\
} while (0)

#define TEST_ASSERT(e, fmt, ...)						\
	TEST_ASSERT_ORACLE(ORACLE_DATA, e, fmt, ##__VA_ARGS__)

#define TEST_ASSERT_EQ(a, b)							\
do {										\
	__typeof__(a) __a = (a);						\
	__typeof__(b) __b = (b);						\
	TEST_ASSERT(__a == __b, "%s is 0x%llx, %s is 0x%llx", #a,		\
		    (unsigned long long)__a, #b, (unsigned long long)__b);	\
} while (0)

#define TEST_FAIL(fmt, ...)							\
	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL, fmt, ##__VA_ARGS__)

/* The environment (not KVM) let the case down: no memory, no thread, no file. */
#define TEST_ERROR_ON(e, fmt, ...)						\
	TEST_ASSERT_ORACLE(ORACLE_ERROR, !(e), fmt, ##__VA_ARGS__)

#define __TEST_REQUIRE(f, fmt, ...)						\
do {										\
	if (!(f))								\
		test_skip(fmt, ##__VA_ARGS__);					\
} while (0)

#define TEST_REQUIRE(f)		__TEST_REQUIRE(f, "needs %s", #f)

/* Prints a "# " diagnostic line: KTAP stays parseable whatever a case says. */
void __printf(1, 2) pr_info(const char *fmt, ...);

/*
 * Writes "<test>.<case>: <step>" to /dev/kmsg, so that the log of a host that
 * panicked names the step. Silent where /dev/kmsg cannot be written.
 */
void __printf(1, 2) breadcrumb(const char *fmt, ...);

/* For hot loops: a step that only a failure's text names, not the kernel log. */
void __printf(1, 2) test_step(const char *fmt, ...);

/* A deterministic stream of numbers; the seed is printed and given by --seed. */
uint64_t test_random(void);

/* Is the running kernel this version or later? For what no capability tells. */
bool kernel_at_least(unsigned int major, unsigned int minor);

/* Deadlines of a case's own, in seconds, scaled by KVM_TEST_TIMEOUT_MUL. */
unsigned int test_seconds(unsigned int seconds);

/* The calling thread runs on no other CPU from now on, nor do those that it makes. */
void stay_on_this_cpu(void);

/* Kind of memory behind a memslot. */
enum vm_mem_backing_src_type {
	VM_MEM_SRC_ANONYMOUS,			/* 4K pages only */
	VM_MEM_SRC_ANONYMOUS_THP,
	VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB,
	VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB,
	VM_MEM_SRC_SHMEM,
	VM_MEM_SRC_SHARED_HUGETLB_2MB,
	VM_MEM_SRC_SHARED_HUGETLB_1GB,
	VM_MEM_SRC_FILE,			/* MAP_SHARED of a file on disk */
	VM_MEM_SRC_GUEST_MEMFD,			/* only for vm_mem_add() */
	NUM_SRC_TYPES,
};

const char *vm_mem_backing_src_name(enum vm_mem_backing_src_type type);

/* Page size in bytes that the backing promises: 4K, 2M or 1G. */
size_t get_backing_src_pagesz(enum vm_mem_backing_src_type type);

/* True where MADV_COLLAPSE-free THP can be had (enabled is not "never"). */
bool thp_configured(void);

#define HUGETLB_REASON_SIZE	160

/*
 * True where the host's pool has less than @want free huge pages of @page bytes (2M or
 * 1G); @reason then says so, and what to do.
 */
bool hugetlb_lacks(char reason[HUGETLB_REASON_SIZE], size_t page, size_t want);

/*
 * How many bytes of [@hva, @hva + @size), which are whole mappings, the host has
 * mapped with huge pages right now.
 */
size_t backing_huge_bytes(const void *hva, size_t size);
/* Skips the case unless all of it is: transparent huge pages are but a wish. */
void backing_require_huge(const void *hva, size_t size);

/* A piece of host memory, with what is needed to give it back. */
struct backing_mem {
	enum vm_mem_backing_src_type type;
	void *hva;
	size_t size;
	uint64_t offset;		/* what it is congruent with: its gpa */
	void *mmap_start;
	size_t mmap_size;
	int fd;				/* -1 for anonymous memory */
};

/*
 * Maps @size bytes of kind @type so that @hva % 1G == @offset % 1G, which makes
 * it congruent with a gpa of that offset. Huge backings take a multiple of
 * their page size for both. Missing huge pages are a skip, no memory an error.
 */
void backing_mem_alloc(struct backing_mem *mem,
		       enum vm_mem_backing_src_type type, size_t size,
		       uint64_t offset);
/* The same with a mapping of @fd from @fd_offset on; @fd stays the caller's. */
void backing_mem_map_fd(struct backing_mem *mem, enum vm_mem_backing_src_type type,
			size_t size, uint64_t offset, int fd, off_t fd_offset);
/*
 * Other pages of the host's, with nothing in them yet, for the anonymous memory at @hva.
 * What is just dropped and touched again may well get the same pages again, and then who
 * has not forgotten the old ones is right by chance. Returns where those are until the
 * caller unmaps them. MADV_HUGEPAGE and the like are not taken along.
 */
void *backing_exchange(void *hva, size_t size);

/*
 * Unmaps it. Nobody else may map it or, where it is a memfd, hold a page of it: what
 * KVM keeps of a VM that is gone is a leak.
 */
void backing_mem_free(struct backing_mem *mem);

#endif /* SELFTEST_KVM_TEST_UTIL_H */
