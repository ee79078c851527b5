// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong arguments of KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG get the errno that
 * belongs to them (KVM API document, sections 4.8 and 4.117), and a call that
 * fails changes nothing in the log.
 *
 * What breaks this: a check of slot or range that is missing, arithmetic that
 * wraps, a check that knows whole words of the bitmap only.
 */
#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(dirty_log_errno_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("98938aa8edd6 KVM: validate userspace input in kvm_clear_dirty_log_protect()",
		       "76d58e0f07ec KVM: fix KVM_CLEAR_DIRTY_LOG for memory slots of unaligned size"));

#define SLOT	1
#define FREE_SLOT 2
#define GPA	ARENA_GPA
#define NPAGES	70UL			/* not a multiple of 64 */

struct world {
	struct arena a;
	struct patterned_mem mem;
};

static void world_create(struct world *w)
{
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

static int get_log(struct world *w, uint32_t slot, void *to)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = to };

	return __vm_ioctl(w->a.vm, KVM_GET_DIRTY_LOG, &log);
}

static int clear_log(struct world *w, uint32_t slot, uint64_t first, uint32_t nr,
		     void *from)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot, .first_page = first, .num_pages = nr, .dirty_bitmap = from,
	};

	return __vm_ioctl(w->a.vm, KVM_CLEAR_DIRTY_LOG, &log);
}

KVM_TEST(get_dirty_log_checks_its_slot)
{
	const uint32_t nr = kvm_check_cap(KVM_CAP_NR_MEMSLOTS);
	struct world w;

	world_create(&w);
	breadcrumb("KVM_GET_DIRTY_LOG that fails");
	TEST_ASSERT_ERRNO(get_log(&w, SLOT, bitmap), ENOENT, "slot without dirty logging");
	TEST_ASSERT_ERRNO(get_log(&w, FREE_SLOT, bitmap), ENOENT, "no such slot");
	TEST_ASSERT_ERRNO(get_log(&w, nr, bitmap), EINVAL, "slot number %u of %u", nr, nr);
	TEST_ASSERT_ERRNO(get_log(&w, 0xffff0000 | SLOT, bitmap), EINVAL,
			  "address space 0xffff");
	vm_mem_region_set_flags(w.a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ASSERT_ERRNO(get_log(&w, SLOT, NULL), EFAULT, "bitmap at NULL");
	TEST_ASSERT_EQ(get_log(&w, SLOT, bitmap), 0);
	vm_mem_region_set_flags(w.a.vm, SLOT, 0);
	TEST_ASSERT_ERRNO(get_log(&w, SLOT, bitmap), ENOENT, "dirty logging off again");
	world_free(&w);
}

/* first_page and num_pages are multiples of 64, or num_pages reaches the end. */
KVM_TEST(clear_dirty_log_checks_its_range,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2)))
{
	static const struct {
		uint64_t first;
		uint32_t nr;
		int err;
	} ranges[] = {
		{ 0, 64, 0 }, { 0, NPAGES, 0 }, { 64, NPAGES - 64, 0 },
		{ 1, 64, EINVAL }, { 63, NPAGES - 63, EINVAL }, { 32, 32, EINVAL },
		{ 0, 1, EINVAL }, { 0, 63, EINVAL }, { 0, 65, EINVAL },
		{ 0, NPAGES - 1, EINVAL }, { 64, 1, EINVAL },
		{ 0, NPAGES + 1, EINVAL }, { 0, 128, EINVAL }, { 64, 64, EINVAL },
		{ 128, 64, EINVAL }, { 128, 0, EINVAL }, { 64, 0xffffffc0, EINVAL },
		{ 0, 0xffffffff, EINVAL }, { 1ULL << 32, 64, EINVAL },
		{ -64ULL, 64, EINVAL }, { -64ULL, NPAGES + 64, EINVAL },
	};
	struct world w;
	size_t i;

	world_create(&w);
	TEST_ASSERT_ERRNO(clear_log(&w, SLOT, 0, 64, bitmap), ENOENT,
			  "slot without dirty logging");
	TEST_ASSERT_ERRNO(clear_log(&w, FREE_SLOT, 0, 64, bitmap), ENOENT, "no such slot");
	TEST_ASSERT_ERRNO(clear_log(&w, 0xffff, 0, 64, bitmap), EINVAL, "slot 0xffff");
	TEST_ASSERT_ERRNO(clear_log(&w, 0xffff0000 | SLOT, 0, 64, bitmap), EINVAL,
			  "address space 0xffff");
	vm_enable_cap(w.a.vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	vm_mem_region_set_flags(w.a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	arena_write(&w.a, GPA, &w.mem, 0, NPAGES);
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		breadcrumb("clear %u pages from page 0x%lx", ranges[i].nr, ranges[i].first);
		if (ranges[i].err) {
			TEST_ASSERT_ERRNO(clear_log(&w, SLOT, ranges[i].first,
						    ranges[i].nr, bitmap), EINVAL,
					  "KVM_CLEAR_DIRTY_LOG of %u pages from page 0x%lx of %lu",
					  ranges[i].nr, ranges[i].first, NPAGES);
		} else {
			TEST_ASSERT_ORACLE(ORACLE_ERRNO,
					   !clear_log(&w, SLOT, ranges[i].first,
						      ranges[i].nr, bitmap),
					   "KVM_CLEAR_DIRTY_LOG of %u pages from page 0x%lx of %lu: errno %d (%s)",
					   ranges[i].nr, ranges[i].first, NPAGES, errno,
					   strerror(errno));
		}
	}
	TEST_ASSERT_ERRNO(clear_log(&w, SLOT, 0, 64, NULL), EFAULT, "bitmap at NULL");

	/* Nothing was cleared (the bitmaps given were zero): all pages are dirty. */
	TEST_ASSERT_EQ(get_log(&w, SLOT, bitmap), 0);
	TEST_ASSERT_EQ(bitmap[0], ~0ULL);
	TEST_ASSERT_EQ(bitmap[1], BIT_ULL(NPAGES - 64) - 1);
	/* Clear the part behind the last multiple of 64, and only that. */
	TEST_ASSERT_EQ(clear_log(&w, SLOT, 64, NPAGES - 64, &bitmap[1]), 0);
	TEST_ASSERT_EQ(get_log(&w, SLOT, bitmap), 0);
	TEST_ASSERT_EQ(bitmap[0], ~0ULL);
	TEST_ASSERT_EQ(bitmap[1], 0ULL);
	vm_mem_region_set_flags(w.a.vm, SLOT, 0);
	world_free(&w);
}

KVM_TEST_MAIN()
