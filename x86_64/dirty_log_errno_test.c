// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong arguments of KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG get the errno that
 * belongs to them (KVM API document, sections 4.8 and 4.117), and a call that
 * fails changes nothing in the log. So it is for a VMM of 32 bits, too, whose
 * pointers are half as long.
 *
 * What breaks this: a check of slot or range that is missing, arithmetic that
 * wraps, a check that knows whole words of the bitmap only, a call that was
 * forgotten where 32-bit ones are translated.
 */
#include <sys/wait.h>

#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(dirty_log_errno_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("98938aa8edd6 KVM: validate userspace input in kvm_clear_dirty_log_protect()",
		       "76d58e0f07ec KVM: fix KVM_CLEAR_DIRTY_LOG for memory slots of unaligned size",
		       "8750f9bbda11 KVM: add missing compat KVM_CLEAR_DIRTY_LOG"));

#define SLOT	1
#define FREE_SLOT 2
#define GPA	ARENA_GPA
#define NPAGES	70UL			/* not a multiple of 64 */

/* ---- the calls, as 64-bit and as 32-bit code makes them ---- */

#define I386_NR_GETPID	20
#define I386_NR_IOCTL	54

static int i386_syscall(uint32_t nr, uint32_t a, uint32_t b, uint32_t c)
{
	int ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c)
		     : "memory", "r8", "r9", "r10", "r11");
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static bool kernel_has_i386_syscalls(void)
{
	pid_t pid = fork();
	int status;

	TEST_ERROR_ON(pid < 0, "cannot fork");
	if (!pid)
		_exit(i386_syscall(I386_NR_GETPID, 0, 0, 0) != getpid());
	TEST_ERROR_ON(waitpid(pid, &status, 0) != pid, "cannot wait for a child");
	return !status;
}

FIXTURE_VARIANT(abi) {
	bool i386;
};
KVM_FIXTURE(abi)

FIXTURE_VARIANT_ADD(abi, x86_64) { false };
FIXTURE_VARIANT_ADD(abi, i386) { true };

struct world {
	struct arena a;
	struct patterned_mem mem;
	bool i386;
};

static void world_create(struct world *w, bool i386)
{
	__TEST_REQUIRE(!i386 || kernel_has_i386_syscalls(),
		       "needs a kernel with CONFIG_IA32_EMULATION, without ia32_emulation=0");
	w->i386 = i386;
	arena_create(&w->a, 1, 2 * NPAGES);
	patterned_mem_alloc(&w->mem, VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE, GPA,
			    (struct pattern){ 1, SLOT });
	arena_add(&w->a, &w->mem, GPA, SLOT, 0);
}

static void world_free(struct world *w)
{
	arena_write(&w->a, GPA, &w->mem, 0, NPAGES);
	arena_expect_mem(&w->a, GPA, &w->mem, 0, NPAGES);
	arena_check_neighbours(&w->a, "after calls that fail");
	arena_free(&w->a);
	patterned_mem_free(&w->mem);
}

static uint64_t bitmap[16];

/* Where a pointer of 32 bits ends, anything may follow. */
#define NO_POINTER	(0xdeadULL << 48)

/* All that is pointed to is static, and so below 4G. */
static int get_log(struct world *w, uint32_t slot, void *to)
{
	static struct kvm_dirty_log log;

	log = (struct kvm_dirty_log){ .slot = slot, .dirty_bitmap = to };
	if (!w->i386)
		return __vm_ioctl(w->a.vm, KVM_GET_DIRTY_LOG, &log);
	log.padding2 |= NO_POINTER;
	return i386_syscall(I386_NR_IOCTL, w->a.vm->fd, KVM_GET_DIRTY_LOG, (uintptr_t)&log);
}

static int clear_log(struct world *w, uint32_t slot, uint64_t first, uint32_t nr,
		     void *from)
{
	static struct kvm_clear_dirty_log log;

	log = (struct kvm_clear_dirty_log){
		.slot = slot, .first_page = first, .num_pages = nr, .dirty_bitmap = from,
	};
	if (!w->i386)
		return __vm_ioctl(w->a.vm, KVM_CLEAR_DIRTY_LOG, &log);
	log.padding2 |= NO_POINTER;
	return i386_syscall(I386_NR_IOCTL, w->a.vm->fd, KVM_CLEAR_DIRTY_LOG, (uintptr_t)&log);
}

static void expect_log(struct world *w, uint64_t low, uint64_t high, const char *when)
{
	TEST_ASSERT_EQ(get_log(w, SLOT, bitmap), 0);
	TEST_ASSERT(bitmap[0] == low && bitmap[1] == high,
		    "%s: the dirty log of slot %d holds 0x%lx 0x%lx, want 0x%lx 0x%lx", when,
		    SLOT, bitmap[0], bitmap[1], low, high);
}

/* Neither logged, nor there, nor possible. */
static void wrong_slots_have_their_errno(struct world *w)
{
	const uint32_t nr = kvm_check_cap(KVM_CAP_NR_MEMSLOTS);
	const struct {
		uint32_t slot;
		int err;
	} slots[] = {
		{ SLOT, ENOENT }, { FREE_SLOT, ENOENT }, { nr, EINVAL }, { 0x7fff, EINVAL },
		{ 0xffff, EINVAL }, { 7 << 16, EINVAL }, { 0xffff0000 | SLOT, EINVAL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		TEST_ASSERT_ERRNO(get_log(w, slots[i].slot, bitmap), slots[i].err,
				  "KVM_GET_DIRTY_LOG of slot 0x%x", slots[i].slot);
		TEST_ASSERT_ERRNO(clear_log(w, slots[i].slot, 0, 64, bitmap), slots[i].err,
				  "KVM_CLEAR_DIRTY_LOG of slot 0x%x", slots[i].slot);
	}
}

KVM_TEST_F(abi, calls_check_their_slot)
{
	struct world w;

	world_create(&w, variant->i386);
	breadcrumb("dirty log of slots that are not logged");
	wrong_slots_have_their_errno(&w);
	vm_mem_region_set_flags(w.a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ASSERT_ERRNO(get_log(&w, SLOT, NULL), EFAULT, "bitmap at NULL");
	TEST_ASSERT_EQ(get_log(&w, SLOT, bitmap), 0);
	vm_mem_region_set_flags(w.a.vm, SLOT, 0);
	wrong_slots_have_their_errno(&w);
	world_free(&w);
}

/* first_page and num_pages are multiples of 64, or num_pages reaches the end. */
KVM_TEST_F(abi, clear_dirty_log_checks_its_range,
	   .caps = NEED_CAPS(NEED_CAP(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2)))
{
	static const struct {
		uint64_t first;
		uint32_t nr;
		int err;
	} ranges[] = {
		{ 0, 0, 0 }, { 0, 64, 0 }, { 0, NPAGES, 0 }, { 64, NPAGES - 64, 0 },
		{ 1, 64, EINVAL }, { 63, NPAGES - 63, EINVAL }, { 32, 32, EINVAL },
		{ 0, 1, EINVAL }, { 0, 63, EINVAL }, { 0, 65, EINVAL },
		{ 0, NPAGES - 1, EINVAL }, { 64, 1, EINVAL }, { 64, NPAGES - 65, EINVAL },
		{ 64, NPAGES - 63, EINVAL },
		{ 0, NPAGES + 1, EINVAL }, { 0, 128, EINVAL }, { 64, 64, EINVAL },
		{ 128, 64, EINVAL }, { 128, 0, EINVAL }, { 64, 0xffffffc0, EINVAL },
		{ 0, 0xffffffff, EINVAL }, { 1ULL << 32, 64, EINVAL },
		{ -64ULL, 64, EINVAL }, { -64ULL, NPAGES + 64, EINVAL },
	};
	const uint64_t last = BIT_ULL(NPAGES - 64) - 1;
	static uint64_t none[2], ones[64];
	struct world w;
	char call[96];
	size_t i;
	int ret;

	world_create(&w, variant->i386);
	memset(ones, 0xff, sizeof(ones));
	vm_enable_cap(w.a.vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	vm_mem_region_set_flags(w.a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	arena_write(&w.a, GPA, &w.mem, 0, NPAGES);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		snprintf(call, sizeof(call),
			 "KVM_CLEAR_DIRTY_LOG of %u pages from page 0x%lx of %lu",
			 ranges[i].nr, ranges[i].first, NPAGES);
		breadcrumb("%s", call);
		/* What fails would clear all, what succeeds is to clear nothing. */
		ret = clear_log(&w, SLOT, ranges[i].first, ranges[i].nr,
				ranges[i].err ? ones : none);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO,
				   ranges[i].err ? ret < 0 && errno == ranges[i].err : !ret,
				   "%s: want errno %d, got %d, errno %d (%s)", call,
				   ranges[i].err, ret, ret ? errno : 0,
				   ret ? strerror(errno) : "");
		expect_log(&w, ~0ULL, last, call);
	}
	TEST_ASSERT_ERRNO(clear_log(&w, SLOT, 0, 64, NULL), EFAULT, "bitmap at NULL");
	expect_log(&w, ~0ULL, last, "a bitmap at NULL");

	breadcrumb("clear the part behind the last multiple of 64, then all");
	TEST_ASSERT_EQ(clear_log(&w, SLOT, 64, NPAGES - 64, ones), 0);
	expect_log(&w, ~0ULL, 0, "the last 6 pages were cleared");
	TEST_ASSERT_EQ(clear_log(&w, SLOT, 0, NPAGES, ones), 0);
	expect_log(&w, 0, 0, "all pages were cleared");
	arena_write(&w.a, GPA + (NPAGES - 1) * PAGE_SIZE, &w.mem, NPAGES - 1, 1);
	expect_log(&w, 0, BIT_ULL(NPAGES - 65), "the guest wrote the last page");
	vm_mem_region_set_flags(w.a.vm, SLOT, 0);
	world_free(&w);
}

KVM_TEST_MAIN()
