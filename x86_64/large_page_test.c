// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which page size KVM maps guest memory with: the largest that the host's page,
 * the memslot's bounds, the alignment of gpa to hva and, in shadow paging, the
 * guest's own leaf allow; never one that reaches beyond its memslot.
 *
 * What breaks it: a wrong disallow_lpage count in a memslot's metadata, a hole in
 * the handling of a large page's head or tail, a split or a replacement of a
 * large SPTE that maps a wrong pfn, statistics that drift. The guest reads and
 * writes each 4K page, each of which holds words that name it.
 *
 * dirty_log_test has what dirty logging does to large pages, host_page_test what
 * the host does to the pages below them, nx_huge_page_test what is executed.
 */
#include <sys/mman.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(large_page_test, .needs = { .mem_mb = 256 });

/* Aligned to 1G, and far from the guest's image. */
#define AREA_GPA	(5 * SZ_1G)
#define DATA_SLOT	1

static void need_leaf(int leaf)
{
	__TEST_REQUIRE(leaf < PG_LEVEL_1G || guest_has_gbpages(),
		       "needs 1G pages in the guest's CPUID (0x80000001 EDX bit 26)");
}

static void add_slot(struct page_vm *p, const struct backing_mem *mem,
		     size_t offset, gpa_t gpa, uint32_t slot, size_t size)
{
	vm_mem_region_add_backing(p->vm, mem, (char *)mem->hva + offset, gpa, slot,
				  size / PAGE_SIZE, 0);
}

static void fill(struct page_area *area, unsigned int round)
{
	if (area->npages >= SZ_1G / PAGE_SIZE / 2)
		page_area_fill_sparsely(area, round);
	else
		page_area_fill(area, 0, area->npages, round);
}

/* Each side writes everything or single pages, and both read it. */
static void check_data(struct page_vm *p, unsigned int round)
{
	struct page_area *area = &p->area;
	uint64_t i, page;

	page_worker_write(&p->workers[0], 0, area->npages, round);
	page_area_check(area, "after the guest wrote everything");
	for (i = 0; i < 32; i++) {
		page = test_random() % area->npages;
		while (area->round[page] == ROUND_NONE)
			page = (page + 1) % area->npages;
		if (i & 1)
			area->todo[page] = round + 2;
		else
			page_area_fill(area, page, 1, round + 1);
	}
	page_worker_write_todo(&p->workers[0]);
	page_worker_read(&p->workers[0], "after host and guest wrote single pages");
	page_area_check(area, "after host and guest wrote single pages");
}

/* ---- guest leaves over host pages ---- */

FIXTURE_VARIANT(leaf) {
	int leaf;
	enum vm_mem_backing_src_type src;
	size_t size;
};
KVM_FIXTURE(leaf)

#define LEAF_OVER_HOST(level, host, host_src, bytes)			\
	FIXTURE_VARIANT_ADD(leaf, level##_over_##host) {		\
		.leaf = PG_LEVEL_##level, .src = VM_MEM_SRC_##host_src,	\
		.size = bytes,						\
	};

#define LEAVES_OVER_HOST(host, host_src, bytes)				\
	LEAF_OVER_HOST(4K, host, host_src, bytes)			\
	LEAF_OVER_HOST(2M, host, host_src, bytes)			\
	LEAF_OVER_HOST(1G, host, host_src, bytes)

LEAVES_OVER_HOST(4k, ANONYMOUS, SZ_2M)
LEAVES_OVER_HOST(shmem, SHMEM, SZ_2M)
LEAVES_OVER_HOST(thp, ANONYMOUS_THP, 2 * SZ_2M)
LEAVES_OVER_HOST(hugetlb_2m, ANONYMOUS_HUGETLB_2MB, 2 * SZ_2M)
LEAVES_OVER_HOST(hugetlb_2m_shared, SHARED_HUGETLB_2MB, 2 * SZ_2M)
LEAVES_OVER_HOST(hugetlb_1g, ANONYMOUS_HUGETLB_1GB, SZ_1G)

KVM_TEST_F(leaf, maps_the_largest_page)
{
	struct page_vm p;
	size_t touched = variant->size;
	unsigned int step = 1;

	need_leaf(variant->leaf);
	if (variant->size == SZ_1G) {
		step = PAGE_WORDS;
		/* 262144 leaves would take their time. */
		if (variant->leaf == PG_LEVEL_4K)
			touched = 8 * SZ_2M;
	}
	page_vm_create(&p, 1, AREA_GPA, touched, variant->leaf, step);
	vm_userspace_mem_region_add(p.vm, variant->src, AREA_GPA, DATA_SLOT,
				    variant->size / PAGE_SIZE, 0);
	fill(&p.area, 1);
	if (variant->src == VM_MEM_SRC_ANONYMOUS_THP)
		backing_require_huge(addr_gpa2hva(p.vm, AREA_GPA), variant->size);

	breadcrumb("first touch");
	page_worker_check_sizes(&p.workers[0], NULL, "after the first touch");
	breadcrumb("writes");
	check_data(&p, 2);
	page_worker_check_sizes(&p.workers[0], NULL, "after writes");

	/* The guest's leaf reaches further than the memslot. */
	if (PG_LEVEL_SIZE(variant->leaf) > variant->size)
		page_worker_expect_gap(&p.workers[0], AREA_GPA + variant->size);
	kvm_vm_free(p.vm);
}

/* ---- memslots that are not made of whole large pages ---- */

FIXTURE_VARIANT(slot) {
	enum vm_mem_backing_src_type src;
	size_t backing;			/* size of the host's memory */
	size_t start;			/* of the memslot in gpa, from AREA_GPA */
	size_t size;
	size_t hva_shift;		/* hva is this much ahead of gpa */
	size_t touched;			/* 0: all of the slot */
};
KVM_FIXTURE(slot)

#define SLOT(name, ...)	FIXTURE_VARIANT_ADD(slot, name) { __VA_ARGS__ };
#define THP		.src = VM_MEM_SRC_ANONYMOUS_THP, .backing = 4 * SZ_2M
#define HUGETLB		.src = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .backing = 4 * SZ_2M
#define HUGETLB_1G	.src = VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, .backing = SZ_1G

SLOT(starts_inside_2m, THP, .start = SZ_64K, .size = 3 * SZ_2M - SZ_64K)
SLOT(ends_inside_2m, THP, .start = 0, .size = 3 * SZ_2M - SZ_4K)
SLOT(starts_and_ends_inside_2m, HUGETLB, .start = SZ_2M - SZ_4K,
     .size = SZ_2M + 2 * SZ_4K)
SLOT(never_holds_a_whole_2m, HUGETLB, .start = SZ_4K, .size = 2 * SZ_2M - 2 * SZ_4K)
SLOT(is_smaller_than_2m, THP, .start = SZ_2M, .size = SZ_2M - SZ_4K)
SLOT(hva_4k_ahead, HUGETLB, .start = 0, .size = 3 * SZ_2M, .hva_shift = SZ_4K)
SLOT(hva_1m_ahead, THP, .start = 0, .size = 3 * SZ_2M, .hva_shift = SZ_1M)
SLOT(hva_2m_ahead, HUGETLB, .start = 0, .size = 3 * SZ_2M, .hva_shift = SZ_2M)
SLOT(hva_4k_ahead_at_both_ends, THP, .start = SZ_1M, .size = 2 * SZ_2M,
     .hva_shift = SZ_4K)
SLOT(starts_inside_1g, HUGETLB_1G, .start = SZ_2M, .size = SZ_1G - SZ_2M)
SLOT(ends_inside_1g, HUGETLB_1G, .start = 0, .size = SZ_1G - SZ_4K)
SLOT(hva_2m_ahead_in_1g, HUGETLB_1G, .start = 0, .size = SZ_1G - SZ_2M,
     .hva_shift = SZ_2M)
SLOT(hva_4k_ahead_in_1g, HUGETLB_1G, .start = 0, .size = SZ_1G - SZ_4K,
     .hva_shift = SZ_4K, .touched = 2 * SZ_2M)

/* Host memory around a memslot, inside the same large page of the host. */
#define CANARY		0xca9a9a9a9a9aca00UL

static void canary_write(char *hva, bool there)
{
	if (there)
		*(uint64_t *)hva = CANARY;
}

static void canary_check(const char *hva, bool there, const char *side)
{
	if (there)
		TEST_ASSERT(*(const uint64_t *)hva == CANARY,
			    "host memory right %s the memslot's (hva %p) holds 0x%lx, not 0x%lx: the guest's write of a gap went there",
			    side, hva, *(const uint64_t *)hva, CANARY);
}

/* Neither end of the memslot lets the guest through to the host's memory. */
static void check_ends(struct page_vm *p, gpa_t start, gpa_t end,
		       const struct backing_mem *mem)
{
	char *first = addr_gpa2hva(p->vm, start);
	char *behind = first + (end - start);
	bool room_below = first > (char *)mem->hva;
	bool room_above = behind < (char *)mem->hva + mem->size;

	canary_write(first - 8, room_below);
	canary_write(behind, room_above);
	page_worker_expect_gap(&p->workers[0], start - 8);
	page_worker_expect_gap(&p->workers[0], end);
	canary_check(first - 8, room_below, "below");
	canary_check(behind, room_above, "above");
}

KVM_TEST_F(slot, maps_what_fits)
{
	/* With leaves of 2M, shadow paging can map large pages, too. */
	gpa_t start = AREA_GPA + variant->start, end = start + variant->size;
	size_t touched = variant->touched ?: variant->size;
	struct backing_mem mem;
	struct page_sizes want;
	struct page_vm p;

	page_vm_create(&p, 1, start, touched, PG_LEVEL_2M,
		      variant->backing == SZ_1G ? PAGE_WORDS : 1);
	virt_map_level(p.vm, AREA_GPA - SZ_2M, AREA_GPA - SZ_2M, SZ_2M, PG_LEVEL_2M);
	if (end == align_up(end, SZ_2M) || touched < variant->size)
		virt_map_level(p.vm, align_down(end, SZ_2M), align_down(end, SZ_2M),
			       SZ_2M, PG_LEVEL_2M);
	if (variant->start == SZ_2M)
		virt_map_level(p.vm, AREA_GPA, AREA_GPA, SZ_2M, PG_LEVEL_2M);

	backing_mem_alloc(&mem, variant->src, variant->backing, AREA_GPA);
	if (variant->src == VM_MEM_SRC_ANONYMOUS_THP) {
		memset(mem.hva, 0, mem.size);
		backing_require_huge(mem.hva, mem.size);
	}
	add_slot(&p, &mem, variant->start + variant->hva_shift, start, DATA_SLOT,
		 variant->size);
	fill(&p.area, 1);

	breadcrumb("first touch");
	page_worker_check_sizes(&p.workers[0], NULL, "after the first touch");
	check_ends(&p, start, end, &mem);
	check_data(&p, 2);
	check_ends(&p, start, end, &mem);

	/* A change of flags keeps the memslot's bounds in mind. */
	breadcrumb("dirty logging on and off");
	vm_mem_region_set_flags(p.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	page_worker_read(&p.workers[0], "under dirty logging");
	vm_mem_region_set_flags(p.vm, DATA_SLOT, 0);
	page_area_model(&p.area, &want);
	if (touched < variant->size)
		want.n4k = -1;	/* KVM prefetches around the slot's end */
	page_worker_check_sizes(&p.workers[0], &want, "after dirty logging was on");
	check_ends(&p, start, end, &mem);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- several memslots in one large page ---- */

/* Two memslots and a gap share one page of the host; the guest maps it whole. */
static void check_hole(size_t page, enum vm_mem_backing_src_type src, int leaf,
		       size_t hole, size_t hole_size, unsigned int step)
{
	const uint64_t npages = page / PAGE_SIZE;
	uint8_t in_hole[SZ_2M / PAGE_SIZE];
	struct backing_mem mem;
	struct page_vm p;

	page_vm_create(&p, 1, AREA_GPA, page, leaf, step);
	backing_mem_alloc(&mem, src, page, AREA_GPA);
	add_slot(&p, &mem, 0, AREA_GPA, 1, page);
	fill(&p.area, 1);
	if (src == VM_MEM_SRC_ANONYMOUS_THP)
		backing_require_huge(mem.hva, page);
	page_worker_check_sizes(&p.workers[0], NULL, "before there is a hole");

	breadcrumb("make the hole");
	vm_mem_region_delete(p.vm, 1);
	add_slot(&p, &mem, 0, AREA_GPA, 1, hole);
	add_slot(&p, &mem, hole + hole_size, AREA_GPA + hole + hole_size, 2,
		 page - hole - hole_size);
	memcpy(in_hole, p.area.round + hole / PAGE_SIZE, hole_size / PAGE_SIZE);
	page_area_set_round(&p.area, hole / PAGE_SIZE, hole_size / PAGE_SIZE,
			    ROUND_NONE);
	page_worker_expect_gap(&p.workers[0], AREA_GPA + hole);
	page_worker_check_sizes(&p.workers[0], NULL, "around a hole");
	page_worker_expect_gap(&p.workers[0], AREA_GPA + hole);
	page_worker_expect_gap(&p.workers[0], AREA_GPA + hole + hole_size - 8);
	check_data(&p, 2);
	page_worker_expect_gap(&p.workers[0], AREA_GPA + hole);
	page_worker_expect_gap(&p.workers[0], AREA_GPA + hole + hole_size - 8);

	breadcrumb("fill the hole");
	add_slot(&p, &mem, hole, AREA_GPA + hole, 3, hole_size);
	/* Nobody could write there, so the first data must still be there. */
	memcpy(p.area.round + hole / PAGE_SIZE, in_hole, hole_size / PAGE_SIZE);
	page_worker_check_sizes(&p.workers[0], NULL, "with the hole filled by a third slot");
	page_worker_write(&p.workers[0], 0, npages, 6);
	page_area_check(&p.area, "with the hole filled by a third slot");

	breadcrumb("one slot again");
	vm_mem_region_delete(p.vm, 1);
	vm_mem_region_delete(p.vm, 2);
	vm_mem_region_delete(p.vm, 3);
	add_slot(&p, &mem, 0, AREA_GPA, 1, page);
	page_worker_check_sizes(&p.workers[0], NULL, "as one slot again");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

KVM_TEST(hole_in_2m)
{
	check_hole(SZ_2M, VM_MEM_SRC_ANONYMOUS_THP, PG_LEVEL_2M, SZ_1M, SZ_64K, 1);
}

KVM_TEST(hole_of_one_page_in_2m_of_4k_leaves)
{
	check_hole(SZ_2M, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, PG_LEVEL_4K,
		   SZ_1M, SZ_4K, 1);
}

KVM_TEST(hole_in_1g, .huge_1g = 1)
{
	need_leaf(PG_LEVEL_1G);
	check_hole(SZ_1G, VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, PG_LEVEL_1G,
		   SZ_1G / 2, SZ_2M, PAGE_WORDS);
}

/* Each memslot ends in the middle of its host page, where the next one starts. */
KVM_TEST(slots_that_meet_inside_2m, .huge_2m = 4)
{
	const size_t cut = SZ_2M + SZ_1M;
	struct backing_mem a, b;
	struct page_vm p;

	page_vm_create(&p, 1, AREA_GPA, 3 * SZ_2M, PG_LEVEL_2M, 1);
	backing_mem_alloc(&a, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 2 * SZ_2M, AREA_GPA);
	backing_mem_alloc(&b, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 2 * SZ_2M,
			  AREA_GPA + SZ_2M);
	add_slot(&p, &a, 0, AREA_GPA, 1, cut);
	add_slot(&p, &b, cut - SZ_2M, AREA_GPA + cut, 2, 3 * SZ_2M - cut);
	page_area_fill(&p.area, 0, p.area.npages, 1);

	page_worker_check_sizes(&p.workers[0], NULL, "two slots meet inside 2M");
	check_data(&p, 2);
	breadcrumb("swap the slots' sides");
	vm_mem_region_delete(p.vm, 1);
	vm_mem_region_delete(p.vm, 2);
	memset(a.hva, 0, a.size);
	memset(b.hva, 0, b.size);
	/* Each half of the 2M in the middle now comes from the other page. */
	add_slot(&p, &a, 0, AREA_GPA, 1, SZ_2M + SZ_64K);
	add_slot(&p, &b, SZ_64K, AREA_GPA + SZ_2M + SZ_64K, 2, 2 * SZ_2M - SZ_64K);
	page_area_set_round(&p.area, 0, p.area.npages, ROUND_ZERO);
	page_worker_check_sizes(&p.workers[0], NULL, "the slots meet elsewhere");
	page_area_fill(&p.area, 0, p.area.npages, 1);
	check_data(&p, 2);
	kvm_vm_free(p.vm);
	backing_mem_free(&a);
	backing_mem_free(&b);
}

/* ---- the same gpas in new memslots ---- */

KVM_TEST(recreated_slot_counts_anew, .thp = true)
{
	static const struct {
		size_t start, size, hva;
		const char *when;
	} steps[] = {
		{ 0, 3 * SZ_2M, 0, "aligned" },
		{ SZ_4K, 3 * SZ_2M - SZ_4K, SZ_4K, "recreated 4K higher" },
		{ 0, 3 * SZ_2M, 0, "recreated aligned" },
		{ 0, 3 * SZ_2M, SZ_4K, "recreated over hva 4K higher" },
		{ 0, 3 * SZ_2M - SZ_4K, 0, "recreated 4K shorter" },
		{ 0, 3 * SZ_2M, 0, "recreated aligned again" },
	};
	struct backing_mem mem;
	struct page_vm p;
	size_t i;

	page_vm_create(&p, 1, AREA_GPA, 3 * SZ_2M, PG_LEVEL_2M, 1);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS_THP, 4 * SZ_2M, AREA_GPA);
	memset(mem.hva, 0, mem.size);
	backing_require_huge(mem.hva, mem.size);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		breadcrumb("%s", steps[i].when);
		add_slot(&p, &mem, steps[i].hva, AREA_GPA + steps[i].start,
			 DATA_SLOT, steps[i].size);
		page_area_set_round(&p.area, 0, p.area.npages, ROUND_NONE);
		page_area_fill(&p.area, steps[i].start / PAGE_SIZE,
			       steps[i].size / PAGE_SIZE, i + 1);
		page_worker_check_sizes(&p.workers[0], NULL, steps[i].when);
		page_worker_write(&p.workers[0], 0, p.area.npages, 100 + i);
		page_area_check(&p.area, steps[i].when);
		vm_mem_region_delete(p.vm, DATA_SLOT);
	}
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* Moving changes the alignment of gpa to hva; the metadata must be made anew. */
KVM_TEST(moved_slot_counts_anew, .thp = true)
{
	static const size_t moves[] = { SZ_4K, 0, SZ_2M, SZ_2M + SZ_1M, 0 };
	const uint64_t npages = 2 * SZ_2M / PAGE_SIZE;
	struct backing_mem mem;
	struct page_vm p;
	size_t i;

	page_vm_create(&p, 1, AREA_GPA, 4 * SZ_2M, PG_LEVEL_2M, 1);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS_THP, 2 * SZ_2M, AREA_GPA);
	add_slot(&p, &mem, 0, AREA_GPA, DATA_SLOT, 2 * SZ_2M);
	page_area_fill(&p.area, 0, npages, 1);
	backing_require_huge(mem.hva, mem.size);
	page_worker_check_sizes(&p.workers[0], NULL, "before the first move");

	for (i = 0; i < ARRAY_SIZE(moves); i++) {
		uint64_t first = moves[i] / PAGE_SIZE;

		breadcrumb("move by 0x%lx", moves[i]);
		vm_mem_region_move(p.vm, DATA_SLOT, AREA_GPA + moves[i]);
		page_area_set_round(&p.area, 0, p.area.npages, ROUND_NONE);
		page_area_fill(&p.area, first, npages, i + 2);
		page_worker_check_sizes(&p.workers[0], NULL, "after a move");
		page_worker_expect_gap(&p.workers[0], AREA_GPA + moves[i] + 2 * SZ_2M);
		if (moves[i])
			page_worker_expect_gap(&p.workers[0], AREA_GPA + moves[i] - 8);
		page_worker_write(&p.workers[0], first, npages, 100 + i);
		page_area_check(&p.area, "after a move");
	}
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- guest page tables inside a large page ---- */

/*
 * Shadow paging write-protects a page that holds a guest page table, so the 2M
 * around it cannot be one page; with TDP a page table is a page like others. @level
 * is that of the entry that leads to the page: 2M for a page table, 1G for one above.
 */
static void table_inside_a_large_page(int level)
{
	const gpa_t table = AREA_GPA + SZ_2M + 17 * PAGE_SIZE;
	const gva_t scratch = 0x7e0000000000UL;
	struct page_sizes want;
	struct page_vm p;
	uint64_t *entry;

	page_vm_create(&p, 1, AREA_GPA, 3 * SZ_2M, PG_LEVEL_2M, 1);
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS_THP, AREA_GPA,
				    DATA_SLOT, 3 * SZ_2M / PAGE_SIZE, 0);
	page_area_fill(&p.area, 0, p.area.npages, 1);
	backing_require_huge(addr_gpa2hva(p.vm, AREA_GPA), 3 * SZ_2M);
	page_worker_check_sizes(&p.workers[0], NULL, "before the page table");

	/* The first entry of the page leads to the page itself, at each level below. */
	breadcrumb("use a page table inside the large page");
	__virt_pg_map(p.vm, scratch, AREA_GPA, level);
	entry = vm_get_pte(p.vm, scratch, NULL);
	page_area_set_round(&p.area, SZ_2M / PAGE_SIZE + 17, 1, ROUND_NONE);
	memset(addr_gpa2hva(p.vm, table), 0, PAGE_SIZE);
	*(uint64_t *)addr_gpa2hva(p.vm, table) = table | PTE_PRESENT_MASK |
		PTE_WRITABLE_MASK | PTE_ACCESSED_MASK | PTE_DIRTY_MASK;
	*entry = table | PTE_PRESENT_MASK | PTE_WRITABLE_MASK | PTE_ACCESSED_MASK;
	TEST_ASSERT(page_worker_read64(&p.workers[0], scratch) ==
		    *(uint64_t *)addr_gpa2hva(p.vm, table),
		    "the guest does not read its page table through itself");
	page_worker_write(&p.workers[0], 0, p.area.npages, 2);
	page_area_model(&p.area, &want);
	if (!kvm_is_tdp_enabled()) {
		want.n2m--;
		want.n4k = -1;	/* the table's own page has two aliases */
	}
	page_worker_check_sizes(&p.workers[0], &want, "with a page table in the second 2M");
	page_area_check(&p.area, "with a page table in the second 2M");

	/* KVM gives up all that it shadows with any slot, but only this one's metadata is new. */
	breadcrumb("recreate another slot");
	*entry = 0;
	memset(addr_gpa2hva(p.vm, table), 0, PAGE_SIZE);
	page_area_fill(&p.area, 0, p.area.npages, 5);
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS, AREA_GPA + SZ_1G,
				    DATA_SLOT + 1, 1, 0);
	vm_mem_region_delete(p.vm, DATA_SLOT + 1);
	page_worker_check_sizes(&p.workers[0], NULL, "without the page table");

	breadcrumb("recreate the slot");
	vm_mem_region_reload(p.vm, DATA_SLOT);
	page_area_fill(&p.area, 0, p.area.npages, 3);
	page_worker_check_sizes(&p.workers[0], NULL, "in a new slot, without the page table");
	check_data(&p, 4);
	kvm_vm_free(p.vm);
}

KVM_TEST(page_table_inside_a_large_page, .thp = true)
{
	table_inside_a_large_page(PG_LEVEL_2M);
}

KVM_TEST(page_directory_inside_a_large_page, .thp = true)
{
	table_inside_a_large_page(PG_LEVEL_1G);
}

/* ---- access rights ---- */

KVM_TEST(read_only_large_pages, .thp = true)
{
	const gpa_t victim = AREA_GPA + SZ_2M + 5 * PAGE_SIZE;
	struct page_vm p;

	TEST_REQUIRE(kvm_has_cap(KVM_CAP_READONLY_MEM));
	page_vm_create(&p, 1, AREA_GPA, 2 * SZ_2M, PG_LEVEL_2M, 1);
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS_THP, AREA_GPA,
				    DATA_SLOT, 2 * SZ_2M / PAGE_SIZE,
				    KVM_MEM_READONLY);
	page_area_fill(&p.area, 0, p.area.npages, 1);
	backing_require_huge(addr_gpa2hva(p.vm, AREA_GPA), 2 * SZ_2M);
	page_worker_check_sizes(&p.workers[0], NULL, "read-only");

	breadcrumb("write to read-only memory");
	page_worker_access(&p.workers[0], victim, true, 0x77);
	vcpu_expect_mmio_write(p.vcpus[0], victim, 8, 0x77);
	page_worker_end(&p.workers[0]);
	page_area_check(&p.area, "after a write to read-only memory");
	page_worker_check_sizes(&p.workers[0], NULL, "after a write to read-only memory");

	/* The host's writes show at once, and the guest's still do not land. */
	page_area_fill(&p.area, 0, p.area.npages, 2);
	page_worker_access(&p.workers[0], victim, true, 0x78);
	vcpu_expect_mmio_write(p.vcpus[0], victim, 8, 0x78);
	page_worker_end(&p.workers[0]);
	page_worker_read(&p.workers[0], "after the host wrote read-only memory");
	page_area_check(&p.area, "after the host wrote read-only memory");
	kvm_vm_free(p.vm);
}

KVM_TEST_MAIN()
