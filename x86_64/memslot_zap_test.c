// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot that goes takes its own translations along, all of them. Since 6.12
 * KVM can be told to leave those of other slots alone; before, and by default, it
 * drops everything, and maps the others anew. Either way they keep their data.
 *
 * What breaks it: a range that is too short or too long by a page or by a large
 * page, a missing TLB flush, shadow pages that outlive the slot that accounts for
 * them, also those of an L1's tables beside the TDP MMU, large pages that reach across the border of two slots.
 */
#include "arena.h"
#include "kvm_compat.h"
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(memslot_zap_test, .needs = { .mem_mb = 64 },
	       .fixes = FIXES("d012a06ab1d2 Revert \"KVM: x86/mmu: Zap only the relevant pages when removing a memslot\""));

#define GPA	ARENA_GPA
#define SLOT(n)	(1 + (n))
/* What vCPUs map again of slot 0 while nobody asks them to do anything. */
#define FEW	96

FIXTURE_VARIANT(zap) {
	bool per_slot;
	enum vm_mem_backing_src_type type;
	size_t npages;			/* of each of the two slots */
	unsigned int huge_2m;
};
KVM_FIXTURE(zap)

FIXTURE_VARIANT_ADD(zap, all_4k) { false, VM_MEM_SRC_ANONYMOUS, 300, 0 };
FIXTURE_VARIANT_ADD(zap, all_2m) { false, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 512, 2 };
FIXTURE_VARIANT_ADD(zap, all_half_a_2m) { false, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 256, 1 };
FIXTURE_VARIANT_ADD(zap, own_4k) { true, VM_MEM_SRC_ANONYMOUS, 300, 0 };
FIXTURE_VARIANT_ADD(zap, own_2m) { true, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 512, 2 };
FIXTURE_VARIANT_ADD(zap, own_half_a_2m) { true, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 256, 1 };

/* Two slots without a gap between them, one memory behind both. */
struct pair {
	struct arena a;
	struct patterned_mem mem;
	size_t npages;
};

static gpa_t gpa_of(const struct pair *p, int which)
{
	return GPA + which * p->npages * PAGE_SIZE;
}

static void pair_add(struct pair *p, int which)
{
	arena_add_part(&p->a, &p->mem, which * p->npages, p->npages, gpa_of(p, which),
		       SLOT(which), 0);
}

static void pair_use(struct pair *p, int which)
{
	arena_expect_mem(&p->a, gpa_of(p, which), &p->mem, which * p->npages, p->npages);
	arena_write(&p->a, gpa_of(p, which), &p->mem, which * p->npages, p->npages);
}

static void zap_per_slot(struct kvm_vm *vm)
{
	__TEST_REQUIRE(kvm_check_cap(KVM_CAP_DISABLE_QUIRKS2) & KVM_X86_QUIRK_SLOT_ZAP_ALL,
		       "needs KVM_X86_QUIRK_SLOT_ZAP_ALL, of Linux 6.12");
	vm_enable_cap(vm, KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_SLOT_ZAP_ALL);
	vm->keeps_tables = true;
}

static void pair_create(struct pair *p, const FIXTURE_VARIANT(zap) *variant)
{
	int which;

	p->npages = variant->npages;
	arena_create(&p->a, 2, 2 * p->npages);
	if (variant->per_slot)
		zap_per_slot(p->a.vm);
	patterned_mem_alloc(&p->mem, variant->type, 2 * p->npages * PAGE_SIZE, GPA,
			    (struct pattern){ .round = 1, .slot = SLOT(0) });
	for (which = 0; which < 2; which++)
		pair_add(p, which);
}

/* @n pages were unmapped because a slot has gone, and of the other one all or none. */
static void check_mapped(struct pair *p, bool per_slot, int64_t before, const char *what)
{
	const int64_t n = p->npages, after = vm_mapped_pages(p->a.vm);

	if (before < 0)
		return;
	TEST_ASSERT_ORACLE(ORACLE_STATS, before >= 2 * n,
			   "two slots of %ld pages are in use, but KVM maps %ld pages", n,
			   before);
	TEST_ASSERT_ORACLE(ORACLE_STATS, after <= before - n,
			   "a slot of %ld pages was %s, but of %ld mapped pages %ld are left",
			   n, what, before, after);
	if (per_slot)
		TEST_ASSERT_ORACLE(ORACLE_STATS, after >= n,
				   "a slot was %s, and of the %ld pages of the other %ld are mapped: all should be",
				   what, n, after);
	else
		TEST_ASSERT_ORACLE(ORACLE_STATS, after <= FEW,
				   "a slot was %s, and %ld pages are mapped: all should have been dropped",
				   what, after);
}

KVM_TEST_F(zap, deleted_slot_leaves_the_other_alone)
{
	unsigned int round;
	struct pair p;
	int64_t before, flushes;

	pair_create(&p, variant);
	for (round = 0; round < test_tries(6); round++) {
		const int gone = round & 1;

		pair_use(&p, 0);
		pair_use(&p, 1);
		before = vm_mapped_pages(p.a.vm);
		flushes = vm_tlb_flush_requests(p.a.vm);
		breadcrumb("round %u: delete the %s slot", round, gone ? "upper" : "lower");
		vm_mem_region_delete(p.a.vm, SLOT(gone));
		check_mapped(&p, variant->per_slot, before, "deleted");
		/* Where all is dropped, vCPUs get new roots, and are asked for that. */
		if (variant->per_slot)
			vm_expect_tlb_flush(p.a.vm, flushes, "a slot in use was deleted");
		pair_use(&p, !gone);
		arena_expect_gap(&p.a, gpa_of(&p, gone), p.npages);
		pair_use(&p, !gone);
		pair_add(&p, gone);
	}
	arena_check_neighbours(&p.a, "slots deleted %u times", round);
	arena_free(&p.a);
}

/* A move is a deletion at the old place. */
KVM_TEST_F(zap, moved_slot_leaves_the_other_alone)
{
	unsigned int round;
	int64_t before;
	struct pair p;
	gpa_t away;

	pair_create(&p, variant);
	away = GPA + 64 * SZ_1M;
	virt_map(p.a.vm, away, away, p.npages);
	for (round = 0; round < test_tries(6); round++) {
		const int moved = round & 1;

		pair_use(&p, 0);
		pair_use(&p, 1);
		before = vm_mapped_pages(p.a.vm);
		breadcrumb("round %u: move the %s slot", round, moved ? "upper" : "lower");
		arena_move(&p.a, SLOT(moved), away);
		check_mapped(&p, variant->per_slot, before, "moved");
		arena_expect_gap(&p.a, gpa_of(&p, moved), p.npages);
		arena_expect_mem(&p.a, away, &p.mem, moved * p.npages, p.npages);
		pair_use(&p, !moved);
		arena_move(&p.a, SLOT(moved), gpa_of(&p, moved));
		arena_expect_gap(&p.a, away, p.npages);
	}
	arena_check_neighbours(&p.a, "slots moved %u times", round);
	arena_free(&p.a);
}

/* ---- a slot with page tables ---- */

#define TABLES_GPA	(NESTED_GPA + 8 * SZ_2M)
#define TABLES_SLOT	2

FIXTURE_VARIANT(tables) {
	bool per_slot;
	bool nested_paging;
};
KVM_FIXTURE(tables)

FIXTURE_VARIANT_ADD(tables, all_nested_paging) { false, true };
FIXTURE_VARIANT_ADD(tables, all_own_page_tables) { false, false };
FIXTURE_VARIANT_ADD(tables, own_nested_paging) { true, true };
FIXTURE_VARIANT_ADD(tables, own_own_page_tables) { true, false };

/* A directory and the table below it, which leads from L2's window to @page. */
static void add_tables(struct nested_cpu *cpu, unsigned int page)
{
	struct nested *n = cpu->n;
	uint64_t *e;

	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, TABLES_GPA, TABLES_SLOT, 2, 0);
	e = addr_gpa2hva(n->vm, TABLES_GPA);
	e[0] = nested_link(n, TABLES_GPA + PAGE_SIZE);
	e[PAGE_SIZE / sizeof(*e)] = nested_ram_leaf(cpu, page, NESTED_RWX);
}

/* The slot comes back with other tables: L2 goes by these, whatever has kept its mappings. */
KVM_TEST_F(tables, go_with_their_slot)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->nested_paging);
	if (variant->per_slot)
		zap_per_slot(n.vm);
	nested_map(&n, 0, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	*nested_entry(&n, 0, PG_LEVEL_1G) = nested_link(&n, TABLES_GPA);
	for (i = 0; i < 8; i++) {
		add_tables(cpu, i);
		l1_flush(cpu);
		l2_read(cpu, 0, NESTED_WORD(i));
		l2_write(cpu, 8, i);
		/* Left for L1, or not. */
		if (i % 3)
			nested_run_in_l2(cpu, "round %u: tables in a slot that is new", i);
		else
			nested_run(cpu, "round %u: tables in a slot that is new", i);
		breadcrumb("round %u: delete the slot that has L2's tables", i);
		vm_mem_region_delete(n.vm, TABLES_SLOT);
	}
	for (i = 0; i < 8; i++)
		TEST_ASSERT_EQ(((uint64_t *)addr_gpa2hva(n.vm, NESTED_GPA + i * PAGE_SIZE))[1],
			       (uint64_t)i);
	nested_free(&n);
}

KVM_TEST_MAIN()
