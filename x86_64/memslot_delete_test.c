// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot that is deleted, created again with other memory, moved or cut is
 * different for every vCPU from the moment the ioctl returns: data, code and
 * mapping. Where no slot is left, each access is MMIO; nothing else changes.
 *
 * What breaks this: a zap that misses SPTEs or forgets the TLBs, a move without
 * the step in which the slot is invalid, shadow pages of guest page tables that
 * outlive the slot they came from, a lookup that finds a slot which is gone.
 *
 * Two vCPUs stay in guest mode throughout, so that a stale TLB entry is seen.
 */
#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_delete_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY)), .mem_mb = 64 },
	.fixes = FIXES("12d6e7538e2d KVM: perform an invalid memslot step for gpa base change",
		       "d012a06ab1d2 Revert \"KVM: x86/mmu: Zap only the relevant pages when removing a memslot\"",
		       "b6467ab142b7 KVM: Check validity of resolved slot when searching memslots"));

#define SLOT	1
#define GPA	ARENA_GPA

#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

FIXTURE_VARIANT(backing) {
	enum vm_mem_backing_src_type type;
	size_t npages;
};
KVM_FIXTURE(backing)

FIXTURE_VARIANT_ADD(backing, anonymous) {
	.type = VM_MEM_SRC_ANONYMOUS, .npages = 20,
};
FIXTURE_VARIANT_ADD(backing, hugetlb_2mb) {
	.type = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .npages = SZ_2M / PAGE_SIZE,
};

static void mem_alloc(const FIXTURE_VARIANT(backing) *v, struct patterned_mem *m,
		      unsigned int round)
{
	patterned_mem_alloc(m, v->type, v->npages * PAGE_SIZE, GPA, PATTERN(round));
}

/* No other slot has large pages behind it. */
static void expect_no_large_page(struct arena *a)
{
	int64_t value;

	if (vm_read_stat(a->vm, "pages_2m", &value))
		TEST_ASSERT_ORACLE(ORACLE_STATS, !value,
				   "slot %u is deleted, but pages_2m is %ld", SLOT,
				   value);
}

/* The code in the deleted slot cannot be fetched, until there is a slot again. */
static void expect_no_code(struct arena *a, gpa_t gpa)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++) {
		struct probe_result r = probe_exec(&a->probes[i],
						   gpa + PATTERN_CODE_OFFSET);

		if (r.outcome != PROBE_INTERNAL_ERROR)
			probe_unexpected(&a->probes[i], gpa + PATTERN_CODE_OFFSET, &r,
					 "KVM_EXIT_INTERNAL_ERROR on a fetch from a gap");
	}
}

static void retry_code(struct arena *a, gpa_t gpa, uint32_t number)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++) {
		struct probe_result r = probe_retry(&a->probes[i]);

		if (r.outcome != PROBE_RAM || r.value != number)
			probe_unexpected(&a->probes[i], gpa + PATTERN_CODE_OFFSET, &r,
					 "the code of the new slot");
	}
}

KVM_TEST_F(backing, deleted_slot_is_a_gap)
{
	struct patterned_mem mem[2];
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, variant->npages);
	mem_alloc(variant, &mem[0], 1);
	mem_alloc(variant, &mem[1], 2);
	arena_add(&a, &mem[0], GPA, SLOT, 0);
	for (round = 0; round < test_tries(4); round++) {
		struct patterned_mem *old = &mem[round & 1], *new = &mem[!(round & 1)];

		arena_expect_mem(&a, GPA, old, 0, variant->npages);
		arena_write(&a, GPA, old, 0, variant->npages);

		breadcrumb("round %u: delete", round);
		vm_mem_region_delete(a.vm, SLOT);
		expect_no_large_page(&a);
		arena_expect_gap(&a, GPA, variant->npages);
		expect_no_code(&a, GPA);
		patterned_mem_check(old, "slot %u deleted, gap written to", SLOT);

		arena_add(&a, new, GPA, SLOT, 0);
		retry_code(&a, GPA, pattern_code(new->pattern, 0));
		arena_expect_mem(&a, GPA, new, 0, variant->npages);
		arena_check_neighbours(&a, "round %u", round);
	}
	arena_free(&a);
}

/* No access between the two ioctls: nothing but them can replace a mapping. */
KVM_TEST_F(backing, recreated_slot_has_the_new_memory)
{
	struct patterned_mem mem[3];
	struct arena a;
	unsigned int i;

	arena_create(&a, 2, variant->npages);
	for (i = 0; i < ARRAY_SIZE(mem); i++)
		mem_alloc(variant, &mem[i], i + 1);
	patterned_mem_free(&mem[2]);
	patterned_mem_alloc(&mem[2], VM_MEM_SRC_FILE, variant->npages * PAGE_SIZE,
			    GPA, PATTERN(3));

	arena_add(&a, &mem[0], GPA, SLOT, 0);
	arena_expect_mem(&a, GPA, &mem[0], 0, variant->npages);
	for (i = 1; i < 10; i++) {
		struct patterned_mem *old = &mem[(i - 1) % 3], *new = &mem[i % 3];

		arena_write(&a, GPA, old, 0, variant->npages);
		breadcrumb("round %u: delete and recreate", i);
		vm_mem_region_delete(a.vm, SLOT);
		/* Another number for the same place must make no difference. */
		arena_add(&a, new, GPA, SLOT, 0);
		arena_write(&a, GPA, new, 0, variant->npages);
		arena_expect_mem(&a, GPA, new, 0, variant->npages);
		patterned_mem_check(old, "no slot has this memory any more");
	}
	arena_check_neighbours(&a, "after %u rounds", i);
	arena_free(&a);
}

KVM_TEST_F(backing, moved_slot_leaves_a_gap)
{
	/* In pages; some overlap the place before, none the neighbours. */
	const size_t n = variant->npages, to[] = { n + 5, 0, 1, n / 2, 2 * n, n, 0 };
	struct patterned_mem mem;
	struct arena a;
	size_t i, at = 0;

	arena_create(&a, 2, 3 * n);
	mem_alloc(variant, &mem, 1);
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (i = 0; i < ARRAY_SIZE(to); i++) {
		gpa_t old = GPA + at * PAGE_SIZE, new = GPA + to[i] * PAGE_SIZE;

		arena_expect_mem(&a, old, &mem, 0, n);
		arena_write(&a, old, &mem, 0, n);
		breadcrumb("move from page %zu to page %zu", at, to[i]);
		vm_mem_region_move(a.vm, SLOT, new);
		at = to[i];

		if (at)
			arena_expect_gap(&a, GPA, at);
		if (at + n < 3 * n)
			arena_expect_gap(&a, new + n * PAGE_SIZE, 2 * n - at);
		arena_write(&a, new, &mem, 0, n);
		arena_expect_mem(&a, new, &mem, 0, n);
		arena_check_neighbours(&a, "moved to page %zu", at);
	}
	arena_free(&a);
}

/* Nobody looks at the new place, so only the move itself can change the old. */
KVM_TEST_F(backing, moved_back_and_forth)
{
	const size_t n = variant->npages;
	struct patterned_mem mem;
	struct arena a;
	unsigned int i;

	arena_create(&a, 2, 2 * n);
	mem_alloc(variant, &mem, 1);
	arena_add(&a, &mem, GPA, SLOT, 0);
	arena_expect_mem(&a, GPA, &mem, 0, n);
	for (i = 0; i < test_tries(6); i++) {
		breadcrumb("round %u: move there", i);
		vm_mem_region_move(a.vm, SLOT, GPA + n * PAGE_SIZE);
		if (i & 1)
			arena_expect_gap(&a, GPA, n);
		vm_mem_region_move(a.vm, SLOT, GPA);
		arena_write(&a, GPA, &mem, 0, n);
		arena_expect_mem(&a, GPA, &mem, 0, n);
		if (!(i & 1))
			arena_expect_gap(&a, GPA + n * PAGE_SIZE, n);
	}
	arena_check_neighbours(&a, "after %u moves", 2 * i);
	arena_free(&a);
}

/* A slot cannot be resized; VMMs delete it and create what is left of it. */
KVM_TEST_F(backing, shrunk_slot_keeps_the_rest)
{
	const size_t n = variant->npages;
	const struct { size_t first, npages; } cuts[] = {
		{ 0, n / 2 }, { n / 2, n - n / 2 }, { 3, n - 7 }, { n - 1, 1 }, { 0, 1 },
		{ 0, n },
	};
	struct patterned_mem mem;
	struct arena a;
	size_t i;

	arena_create(&a, 2, n);
	mem_alloc(variant, &mem, 1);
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (i = 0; i < ARRAY_SIZE(cuts); i++) {
		size_t first = cuts[i].first, npages = cuts[i].npages;
		size_t end = first + npages;

		arena_write(&a, vm_get_mem_region(a.vm, SLOT)->gpa, &mem,
			    i ? cuts[i - 1].first : 0, i ? cuts[i - 1].npages : n);
		breadcrumb("cut down to pages %zu to %zu", first, end);
		vm_mem_region_delete(a.vm, SLOT);
		arena_add_part(&a, &mem, first, npages, GPA + first * PAGE_SIZE, SLOT, 0);
		if (first)
			arena_expect_gap(&a, GPA, first);
		if (end < n)
			arena_expect_gap(&a, GPA + end * PAGE_SIZE, n - end);
		arena_expect_mem(&a, GPA + first * PAGE_SIZE, &mem, first, npages);
		patterned_mem_check(&mem, "cut down to pages %zu to %zu", first, end);
		arena_check_neighbours(&a, "cut down to pages %zu to %zu", first, end);
	}
	arena_free(&a);
}

/* As firmware does below 1M: a piece of RAM is replaced, and put back. */
KVM_TEST_F(backing, split_slot_merges_again)
{
	const size_t n = variant->npages, first = n / 3, hole = n / 3;
	struct patterned_mem mem, other;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, n);
	mem_alloc(variant, &mem, 1);
	patterned_mem_alloc(&other, VM_MEM_SRC_SHMEM, hole * PAGE_SIZE,
			    GPA + first * PAGE_SIZE, PATTERN(9));
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (round = 0; round < test_tries(3); round++) {
		arena_write(&a, GPA, &mem, 0, n);
		breadcrumb("round %u: split", round);
		vm_mem_region_delete(a.vm, SLOT);
		arena_add_part(&a, &mem, 0, first, GPA, SLOT, 0);
		arena_add(&a, &other, GPA + first * PAGE_SIZE, SLOT + 1, 0);
		arena_add_part(&a, &mem, first + hole, n - first - hole,
			       GPA + (first + hole) * PAGE_SIZE, SLOT + 2, 0);
		arena_expect_mem(&a, GPA, &mem, 0, first);
		arena_write(&a, GPA + first * PAGE_SIZE, &other, 0, hole);
		arena_expect_mem(&a, GPA + first * PAGE_SIZE, &other, 0, hole);
		arena_expect_mem(&a, GPA + (first + hole) * PAGE_SIZE, &mem,
				 first + hole, n - first - hole);
		patterned_mem_check(&mem, "split, round %u", round);

		breadcrumb("round %u: merge", round);
		vm_mem_region_delete(a.vm, SLOT + 1);
		vm_mem_region_delete(a.vm, SLOT + 2);
		vm_mem_region_delete(a.vm, SLOT);
		arena_add(&a, &mem, GPA, SLOT, 0);
		arena_expect_mem(&a, GPA, &mem, 0, n);
		patterned_mem_check(&other, "merged, round %u", round);
	}
	arena_check_neighbours(&a, "after splitting and merging");
	arena_free(&a);
}

/* ---- while two vCPUs never stop ---- */

#define HAMMERED	16	/* pages */
#define ROUNDS		12

static const unsigned int rw_and_rx[ARENA_MAX_PROBES] = {
	HAMMER_READ | HAMMER_WRITE, HAMMER_READ | HAMMER_EXEC,
};

/* Fresh contents for memory without a slot: a late write of a vCPU would show. */
static void expect_untouched(struct arena *a, struct patterned_mem *m, unsigned int round)
{
	patterned_mem_refill(m, PATTERN(round));
	arena_hammer_wait(a);
	patterned_mem_check(m, "this memory has had no slot since update %lu",
			    a->vm->memslot_updates);
}

KVM_TEST_F(backing, replaced_while_vcpus_use_it)
{
	struct patterned_mem mem[2];
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, variant->npages);
	mem_alloc(variant, &mem[0], 1);
	mem_alloc(variant, &mem[1], 2);
	arena_hammer_start(&a, GPA, HAMMERED, rw_and_rx);
	for (round = 0; round < test_tries(ROUNDS); round++) {
		struct patterned_mem *old = &mem[round & 1], *new = &mem[!(round & 1)];

		breadcrumb("round %u: replace under use", round);
		arena_update_begin(&a);
		if (round)
			vm_mem_region_delete(a.vm, SLOT);
		arena_add(&a, new, GPA, SLOT, 0);
		arena_world_mem(&a, GPA, new, 0, HAMMERED, PAGE_IS_RAM);
		arena_update_end(&a);
		expect_untouched(&a, old, round + 3);
	}
	arena_hammer_stop(&a);
	arena_check_neighbours(&a, "replaced %u times", round);
	arena_free(&a);
}

KVM_TEST_F(backing, deleted_while_vcpus_use_it)
{
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, variant->npages);
	mem_alloc(variant, &mem, 1);
	arena_hammer_start(&a, GPA, HAMMERED, rw_and_rx);
	for (round = 0; round < test_tries(ROUNDS); round++) {
		breadcrumb("round %u: create under use", round);
		arena_update_begin(&a);
		arena_add(&a, &mem, GPA, SLOT, 0);
		arena_world_mem(&a, GPA, &mem, 0, HAMMERED, PAGE_IS_RAM);
		arena_update_end(&a);
		arena_hammer_wait(&a);

		breadcrumb("round %u: delete under use", round);
		arena_update_begin(&a);
		vm_mem_region_delete(a.vm, SLOT);
		arena_world_gap(&a, GPA, HAMMERED);
		arena_update_end(&a);
		expect_untouched(&a, &mem, round + 2);
	}
	arena_hammer_stop(&a);
	arena_check_neighbours(&a, "deleted %u times", round);
	arena_free(&a);
}

KVM_TEST_F(backing, moved_while_vcpus_use_it)
{
	const size_t to[] = { HAMMERED / 2, 0, HAMMERED, 1, HAMMERED - 1, 0 };
	const size_t n = variant->npages, window = 2 * HAMMERED;
	struct patterned_mem mem;
	struct arena a;
	size_t i;

	arena_create(&a, 2, n + window);
	mem_alloc(variant, &mem, 1);
	arena_add(&a, &mem, GPA + window * PAGE_SIZE, SLOT, 0);
	arena_hammer_start(&a, GPA, window, rw_and_rx);
	for (i = 0; i < 2 * ARRAY_SIZE(to); i++) {
		size_t at = to[i % ARRAY_SIZE(to)];

		breadcrumb("move to page %zu under use", at);
		arena_update_begin(&a);
		arena_move(&a, SLOT, GPA + at * PAGE_SIZE);
		arena_world_gap(&a, GPA, window);
		arena_world_mem(&a, GPA + at * PAGE_SIZE, &mem, 0,
				n < window - at ? n : window - at, PAGE_IS_RAM);
		arena_update_end(&a);
		arena_hammer_wait(&a);
	}
	arena_hammer_stop(&a);
	arena_check_neighbours(&a, "moved %zu times", i);
	arena_free(&a);
}

/* ---- address spaces ---- */

/* Slots of the SMM address space and of the normal one have the same gpas. */
KVM_TEST(address_spaces_are_independent,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_MULTI_ADDRESS_SPACE)))
{
	const size_t n = 16;
	struct patterned_mem mem, smm;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, n);
	__TEST_REQUIRE(vm_check_cap(a.vm, KVM_CAP_MULTI_ADDRESS_SPACE) > 1,
		       "needs two address spaces (KVM_CAP_MULTI_ADDRESS_SPACE > 1)");
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, n * PAGE_SIZE, GPA, PATTERN(1));
	patterned_mem_alloc(&smm, VM_MEM_SRC_ANONYMOUS, n * PAGE_SIZE, GPA, PATTERN(2));
	for (round = 0; round < test_tries(3); round++) {
		arena_add(&a, &mem, GPA, SLOT, 0);
		arena_write(&a, GPA, &mem, 0, n);
		vm_set_user_memory_region(a.vm, 1 << 16 | SLOT, 0, GPA, n * PAGE_SIZE,
					  smm.mem.hva);
		arena_expect_mem(&a, GPA, &mem, 0, n);
		vm_mem_region_delete(a.vm, SLOT);
		arena_expect_gap(&a, GPA, n);
		arena_add(&a, &mem, GPA, SLOT, 0);
		vm_set_user_memory_region(a.vm, 1 << 16 | SLOT, 0, GPA, 0, NULL);
		arena_write(&a, GPA, &mem, 0, n);
		arena_expect_mem(&a, GPA, &mem, 0, n);
		vm_mem_region_delete(a.vm, SLOT);
		arena_expect_gap(&a, GPA, n);
	}
	patterned_mem_check(&smm, "no guest code has run in SMM");
	arena_check_neighbours(&a, "two address spaces");
	arena_free(&a);
}

KVM_TEST_MAIN()
