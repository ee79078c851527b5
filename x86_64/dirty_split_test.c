// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large pages of which only some are split for dirty logging: those of the slot
 * that is logged, or, initially all set, those that KVM_CLEAR_DIRTY_LOG protects.
 * The others stay large, and nobody's data changes on the way, not even under
 * guests that write all the time.
 *
 * What breaks it: a split, a write protection or a collapse with the bounds of
 * another slot, one that is too wide, a page table that maps other pfns than the
 * large page did, a write that is lost between the two, a collapse of what cannot be
 * larger.
 */
#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "smm.h"

KVM_TEST_SUITE(dirty_split_test, .needs = { .mem_mb = 128, .thp = true });

#define AREA_GPA	(5 * SZ_1G)
#define LOGGED_SLOT	1
#define OTHER_SLOT	2
#define LARGE_PAGES	(SZ_2M / PAGE_SIZE)
#define SLOT_PAGES	(2 * SZ_2M / PAGE_SIZE)

/* ---- two slots ---- */

/* The second slot follows the first one, in gpa and in the host's memory. */
FIXTURE_VARIANT(neighbour) {
	size_t first_size;		/* of the logged slot */
};
KVM_FIXTURE(neighbour)
FIXTURE_VARIANT_ADD(neighbour, in_the_next_page) { 2 * SZ_2M };
FIXTURE_VARIANT_ADD(neighbour, in_the_same_page) { SZ_2M + SZ_1M };

static void add_slots(struct page_vm *p, const FIXTURE_VARIANT(neighbour) *variant,
		      struct backing_mem *mem)
{
	const size_t rest = 4 * SZ_2M - variant->first_size;

	backing_mem_alloc(mem, VM_MEM_SRC_ANONYMOUS_THP, 4 * SZ_2M, AREA_GPA);
	memset(mem->hva, 0, mem->size);
	backing_require_huge(mem->hva, mem->size);
	vm_mem_region_add_backing(p->vm, mem, mem->hva, AREA_GPA, LOGGED_SLOT,
				  variant->first_size / PAGE_SIZE, 0);
	vm_mem_region_add_backing(p->vm, mem, (char *)mem->hva + variant->first_size,
				  AREA_GPA + variant->first_size, OTHER_SLOT,
				  rest / PAGE_SIZE, 0);
}

static uint64_t count_dirty(struct kvm_vm *vm, uint32_t slot, uint64_t npages)
{
	uint64_t log[4 * SZ_2M / PAGE_SIZE / 64] = {}, n = 0, i;

	kvm_vm_get_dirty_log(vm, (int)slot, log);
	for (i = 0; i < align_up(npages, 64UL) / 64; i++)
		n += __builtin_popcountl(log[i]);
	return n;
}

/*
 * page_area_model() knows which slots are logged: what is split eagerly is what it
 * says. Otherwise, a large page stays until it is written.
 */
KVM_TEST_F(neighbour, stays_large)
{
	const uint64_t n = variant->first_size / PAGE_SIZE, rest = 2 * SLOT_PAGES - n;
	struct page_sizes large, want;
	struct backing_mem mem;
	struct page_worker *w;
	struct page_vm p;
	int64_t flushes;
	unsigned int i;

	page_vm_create(&p, 1, AREA_GPA, 4 * SZ_2M, PG_LEVEL_2M, 8);
	w = &p.workers[0];
	add_slots(&p, variant, &mem);
	page_area_fill(&p.area, 0, p.area.npages, 1);
	page_worker_map_all(w, 2);
	page_area_model(&p.area, &large);
	for (i = 0; i < 2; i++) {
		breadcrumb("log one of two slots, %u", i);
		vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		page_area_model(&p.area, &want);
		page_area_check_sizes(&p.area, log_split() == SPLIT_EAGERLY ? &want : &large,
				      "one of two slots is logged");
		TEST_ASSERT_EQ(count_dirty(p.vm, LOGGED_SLOT, n), 0UL);
		page_worker_write(w, n, rest, 4 + 2 * i);
		TEST_ASSERT_EQ(count_dirty(p.vm, LOGGED_SLOT, n), 0UL);
		page_area_check_sizes(&p.area, log_split() == SPLIT_EAGERLY ? &want : &large,
				      "the slot that is not logged was written");
		page_worker_write(w, 0, n, 5 + 2 * i);
		TEST_ASSERT_EQ(count_dirty(p.vm, LOGGED_SLOT, n), n);
		page_area_check_sizes(&p.area, &want, "both slots were written");
		breadcrumb("log none, %u", i);
		flushes = vm_tlb_flush_requests(p.vm);
		vm_mem_region_set_flags(p.vm, LOGGED_SLOT, 0);
		vm_expect_tlb_flush(p.vm, flushes, "what was split is joined again");
		page_worker_write(w, 0, p.area.npages, 8 + i);
		page_area_check(&p.area, "after logging was turned off");
		/* The iTLB multihit workaround keeps page tables that are there. */
		if (kvm_get_module_param_bool("kvm", "nx_huge_pages"))
			break;
		page_area_check_sizes(&p.area, &large, "after logging was turned off");
	}
	page_worker_read(w, "after logging was turned off");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- two address spaces ---- */

FIXTURE_VARIANT(slot) {
	bool smm;
};
KVM_FIXTURE(slot)
FIXTURE_VARIANT_ADD(slot, of_smm) { true };
FIXTURE_VARIANT_ADD(slot, outside_smm) { false };

static void expect_large(struct kvm_vm *vm, int64_t want, const char *when)
{
	struct page_sizes sizes;

	if (page_sizes_read(vm, &sizes))
		TEST_ASSERT_ORACLE(ORACLE_STATS, sizes.n2m == want,
				   "%s: KVM maps %ld 2M pages, want %ld", when, sizes.n2m, want);
}

/* The same memory is in a slot of each address space, and one of them is logged. */
KVM_TEST_F(slot, is_split_and_joined_alone, .caps = NEED_CAPS_SMM)
{
	const uint32_t logged = variant->smm ? SMM_SLOT(LOGGED_SLOT) : LOGGED_SLOT;
	const bool eagerly = log_split() == SPLIT_EAGERLY;
	struct backing_mem mem;
	struct page_worker *w;
	struct page_vm p;
	unsigned int i;

	page_vm_create(&p, 1, AREA_GPA, 2 * SZ_2M, PG_LEVEL_2M, 8);
	w = &p.workers[0];
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS_THP, LOGGED_SLOT);
	vm_smm_init(p.vm);
	vm_mem_region_add_backing(p.vm, &mem, mem.hva, AREA_GPA, SMM_SLOT(LOGGED_SLOT),
				  SLOT_PAGES, 0);
	for (i = 0; i < 3; i++) {
		vcpu_set_smm(p.vcpus[0], !variant->smm);
		page_worker_write(w, 0, SLOT_PAGES, 6 * i + 2);
		vcpu_set_smm(p.vcpus[0], variant->smm);
		page_worker_write(w, 0, SLOT_PAGES, 6 * i + 3);
		/* The iTLB multihit workaround keeps page tables that are there. */
		if (i && kvm_get_module_param_bool("kvm", "nx_huge_pages"))
			break;
		expect_large(p.vm, 4, "before logging");
		breadcrumb("log a slot %s SMM, %u", variant->smm ? "of" : "outside", i);
		vm_mem_region_set_flags(p.vm, logged, KVM_MEM_LOG_DIRTY_PAGES);
		expect_large(p.vm, eagerly ? 2 : 4, "one of two address spaces is logged");
		vcpu_set_smm(p.vcpus[0], !variant->smm);
		page_worker_write(w, 0, SLOT_PAGES, 6 * i + 6);
		TEST_ASSERT_EQ(count_dirty(p.vm, logged, SLOT_PAGES), 0UL);
		expect_large(p.vm, eagerly ? 2 : 4, "the one that is not logged was written");
		vcpu_set_smm(p.vcpus[0], variant->smm);
		page_worker_write(w, 3, 1, 6 * i + 7);
		TEST_ASSERT_EQ(count_dirty(p.vm, logged, SLOT_PAGES), 1UL);
		expect_large(p.vm, eagerly ? 2 : 3, "one page of the other was written");
		page_worker_write(w, LARGE_PAGES, 2, 6 * i + 7);
		TEST_ASSERT_EQ(count_dirty(p.vm, logged, SLOT_PAGES), 2UL);
		page_worker_read(w, "logged");
		expect_large(p.vm, 2, "both of its large pages were written");
		vm_mem_region_set_flags(p.vm, logged, 0);
	}
	page_area_check(&p.area, "in two address spaces");
	vcpu_set_smm(p.vcpus[0], false);
	vm_mem_region_delete(p.vm, SMM_SLOT(LOGGED_SLOT));
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- initially all set ---- */

static void clear(struct kvm_vm *vm, uint64_t first, uint64_t n)
{
	uint64_t ones[SLOT_PAGES / 64];
	struct kvm_clear_dirty_log args = {
		.slot = LOGGED_SLOT, .first_page = first, .num_pages = n,
		.dirty_bitmap = ones,
	};

	memset(ones, 0xff, sizeof(ones));
	vm_ioctl(vm, KVM_CLEAR_DIRTY_LOG, &args);
}

static void clear_page(struct kvm_vm *vm, uint64_t page)
{
	uint64_t bitmap = BIT(page % 64);
	struct kvm_clear_dirty_log args = {
		.slot = LOGGED_SLOT, .first_page = page - page % 64, .num_pages = 64,
		.dirty_bitmap = &bitmap,
	};

	vm_ioctl(vm, KVM_CLEAR_DIRTY_LOG, &args);
}

static void enable_initially_all_set(struct kvm_vm *vm)
{
	const uint64_t flags = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE |
			       KVM_DIRTY_LOG_INITIALLY_SET;

	__TEST_REQUIRE((kvm_check_cap(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) & flags) == flags,
		       "needs KVM_DIRTY_LOG_INITIALLY_SET");
	vm_enable_cap(vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, flags);
}

KVM_TEST(only_what_was_cleared_is_split)
{
	const uint64_t large = LARGE_PAGES;
	struct page_sizes want;
	struct backing_mem mem;
	struct page_worker *w;
	struct page_vm p;

	page_vm_create(&p, 1, AREA_GPA, 3 * SZ_2M, PG_LEVEL_2M, 8);
	w = &p.workers[0];
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS_THP, LOGGED_SLOT);
	enable_initially_all_set(p.vm);
	page_worker_map_all(w, 2);
	page_area_model(&p.area, &want);
	vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	page_area_check_sizes(&p.area, &want, "initially all set: nothing is split");

	breadcrumb("clear a group of 64 pages in the second of three large pages");
	clear(p.vm, large + 128, 64);
	/* Split eagerly, since 5.18, or at the first write. */
	if (log_split() == SPLIT_EAGERLY) {
		want.n2m--;
		want.n4k += large;
	}
	page_area_check_sizes(&p.area, &want, "64 pages of one large page were cleared");
	page_worker_write(w, 0, large, 4);
	page_worker_write(w, 2 * large, large, 4);
	page_area_check_sizes(&p.area, &want, "the other large pages were written");
	page_worker_write(w, large + 130, 1, 5);
	if (log_split() != SPLIT_EAGERLY) {
		want.n2m--;
		want.n4k += log_split() == SPLIT_AT_WRITE ? large : 1;
	}
	page_area_check_sizes(&p.area, &want, "one of the cleared pages was written");
	page_worker_read(w, "with one large page of three split");
	page_area_check(&p.area, "with one large page of three split");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* A single page, too: the first, the last, and some other one of its large page. */
KVM_TEST(one_page_splits_its_own_large_page)
{
	static const uint64_t pages[] = { 0, LARGE_PAGES + 511, 2 * LARGE_PAGES + 190 };
	struct page_sizes want;
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;

	__TEST_REQUIRE(log_split() == SPLIT_EAGERLY && kernel_at_least(6, 8),
		       "needs kvm.eager_page_split=1, and Linux 6.8: older ones overlook a single page");
	page_vm_create(&p, 1, AREA_GPA, 3 * SZ_2M, PG_LEVEL_2M, 8);
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS_THP, LOGGED_SLOT);
	enable_initially_all_set(p.vm);
	page_worker_map_all(&p.workers[0], 2);
	page_area_model(&p.area, &want);
	vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		breadcrumb("clear page %lu of the slot", pages[i]);
		clear_page(p.vm, pages[i]);
		want.n2m--;
		want.n4k += LARGE_PAGES;
		page_area_check_sizes(&p.area, &want, "a page of one more large page was cleared");
	}
	page_worker_read(&p.workers[0], "with all large pages split");
	page_worker_write(&p.workers[0], 0, 3 * LARGE_PAGES, 5);
	page_area_check(&p.area, "with all large pages split");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- what is joined ---- */

/* Of one large page the only page that is mapped is in the middle, of another the last. */
KVM_TEST(joined_from_any_page)
{
	struct page_worker *w;
	struct backing_mem mem;
	struct page_vm p;

	page_vm_create(&p, 1, AREA_GPA, 2 * SZ_2M, PG_LEVEL_2M, 8);
	w = &p.workers[0];
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS_THP, LOGGED_SLOT);
	vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	page_worker_write(w, 300, 1, 2);
	page_worker_write(w, LARGE_PAGES + 511, 1, 2);
	breadcrumb("logging ends with one page of each large page mapped");
	vm_mem_region_set_flags(p.vm, LOGGED_SLOT, 0);
	page_worker_read(w, "after logging");
	page_worker_write(w, 0, 2 * LARGE_PAGES, 3);
	page_worker_read(w, "after logging");
	page_area_check(&p.area, "after logging");
	expect_large(p.vm, 2, "after logging");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

FIXTURE_VARIANT(whole) {
	enum vm_mem_backing_src_type src;
	int level;
};
KVM_FIXTURE(whole)
FIXTURE_VARIANT_ADD(whole, of_4k) { VM_MEM_SRC_ANONYMOUS, PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(whole, of_2m) { VM_MEM_SRC_ANONYMOUS_THP, PG_LEVEL_2M };

/* Nothing was split: nothing is to be joined when logging ends, not even by a fault. */
KVM_TEST_F(whole, pages_stay_mapped)
{
	struct page_sizes want;
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;

	page_vm_create(&p, 1, AREA_GPA, 2 * SZ_2M, variant->level, 8);
	page_vm_add_mem(&p, &mem, variant->src, LOGGED_SLOT);
	enable_initially_all_set(p.vm);
	page_worker_map_all(&p.workers[0], 2);
	page_area_model(&p.area, &want);
	for (i = 0; i < 2; i++) {
		vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		page_area_check_sizes(&p.area, &want, "initially all set: nothing is split");
		vm_mem_region_set_flags(p.vm, LOGGED_SLOT, 0);
		page_area_check_sizes(&p.area, &want,
				      "logging has ended, and nothing was split");
	}
	page_worker_read(&p.workers[0], "after logging");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- what a split leaves unmapped ---- */

/*
 * A large page that waits for its first write gives way to a table in which only that
 * page is mapped. The others are still in TLBs: unless these are flushed, KVM does not
 * know when the host takes such a page away.
 */
KVM_TEST(unmapping_for_a_write_flushes)
{
	int64_t mapped, flushes;
	struct backing_mem mem;
	struct page_vm p;

	page_vm_create(&p, 1, AREA_GPA, 2 * SZ_2M, PG_LEVEL_2M, 8);
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS_THP, LOGGED_SLOT);
	page_worker_map_all(&p.workers[0], 2);
	vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	breadcrumb("the first write while logging");
	mapped = vm_mapped_pages(p.vm);
	flushes = vm_tlb_flush_requests(p.vm);
	page_worker_access(&p.workers[0], AREA_GPA + SZ_2M + 37 * PAGE_SIZE + PAGE_USER_WORD * 8,
			   true, 1);
	page_worker_end(&p.workers[0]);
	__TEST_REQUIRE(vm_mapped_pages(p.vm) < mapped,
		       "needs a split that unmaps: kvm.tdp_mmu=0, or kvm.eager_page_split=0 before Linux 6.2");
	vm_expect_tlb_flush(p.vm, flushes, "a write to a large page has unmapped most of it");
	page_worker_read(&p.workers[0], "after the first write");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- under guests ---- */

KVM_TEST(switched_on_and_off_under_guests)
{
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;
	uint64_t page;

	page_vm_create(&p, 2, AREA_GPA, 2 * SZ_2M, PG_LEVEL_2M, 8);
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS_THP, LOGGED_SLOT);
	page_worker_start(&p.workers[0], PAGES_BUMP_LOOP);
	page_worker_start(&p.workers[1], PAGES_READ_LOOP);
	for (i = 0; i < test_tries(6); i++) {
		if (i % 3 == 0)
			breadcrumb("logging on and off, %u", i);
		page_worker_wait_loops(&p.workers[0], 1);
		vm_mem_region_set_flags(p.vm, LOGGED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		page_worker_wait_loops(&p.workers[0], 1);
		TEST_ASSERT(count_dirty(p.vm, LOGGED_SLOT, SLOT_PAGES),
			    "the guest writes all pages, and none is in the dirty log");
		vm_mem_region_set_flags(p.vm, LOGGED_SLOT, 0);
	}
	page_worker_stop(&p.workers[0], "counting while logging was switched");
	page_worker_stop(&p.workers[1], "reading while logging was switched");
	for (page = 0; page < p.area.npages; page++) {
		uint64_t *word = (uint64_t *)mem.hva + page * PAGE_WORDS + PAGE_USER_WORD;

		TEST_ASSERT(*word == p.workers[0].job->loops,
			    "the guest counted to %lu in each page, but gpa 0x%lx holds %lu: a write was lost",
			    p.workers[0].job->loops, AREA_GPA + page * PAGE_SIZE, *word);
	}
	page_area_check(&p.area, "after logging was switched on and off");
	page_worker_check_sizes(&p.workers[0], NULL, "after logging was turned off");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
