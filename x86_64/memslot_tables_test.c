// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest page tables are in a memslot, too. When theirs is deleted, replaced or
 * moved, no vCPU translates through the old ones.
 *
 * What breaks this: shadow pages that outlive the slot their guest page table
 * came from (shadow paging), and walks that still find the old host page.
 */
#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_tables_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY)), .mem_mb = 64 },
	.fixes = FIXES("d012a06ab1d2 Revert \"KVM: x86/mmu: Zap only the relevant pages when removing a memslot\""));

#define SLOT	1
#define GPA	ARENA_GPA

#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

#define TABLE_SLOT	2
#define TABLE_GPA	(GPA + 32 * PAGE_SIZE)
#define TABLE_GPA2	(GPA + 34 * PAGE_SIZE)
#define TABLE_FLAGS	(PTE_PRESENT_MASK | PTE_WRITABLE_MASK)
#define NR_MAPPED	8

/*
 * Two areas that differ in the top level only. No page table index is 0: the
 * entry's place in its page must not be the data's, or KVM's emulator takes the
 * gpa of the one for that of the other.
 */
#define AREA(n)		((32UL + (n)) << 39 | 3UL << 30 | 5UL << 21 | 7UL << 12)

FIXTURE_VARIANT(tables) {
	int level;			/* of the table in the slot */
};
KVM_FIXTURE(tables)

FIXTURE_VARIANT_ADD(tables, pt) { .level = PG_LEVEL_4K, };
FIXTURE_VARIANT_ADD(tables, pd) { .level = PG_LEVEL_2M, };
FIXTURE_VARIANT_ADD(tables, pdpt) { .level = PG_LEVEL_1G, };

struct tables {
	struct arena a;
	struct patterned_mem data;	/* first half for area 0, second for 1 */
	struct backing_mem table[2];	/* the same table of each area */
	gva_t parent;			/* the entry that points to the slot */
};

static void tables_create(struct tables *t, int level)
{
	struct kvm_vm *vm;
	gpa_t parent;
	int i;

	arena_create(&t->a, 2, 64);
	vm = t->a.vm;
	patterned_mem_alloc(&t->data, VM_MEM_SRC_ANONYMOUS,
			    2 * NR_MAPPED * PAGE_SIZE, GPA, PATTERN(1));
	arena_add(&t->a, &t->data, GPA, SLOT, 0);
	for (i = 0; i < 2; i++) {
		virt_map(vm, AREA(i), GPA + i * NR_MAPPED * PAGE_SIZE, NR_MAPPED);
		backing_mem_alloc(&t->table[i], VM_MEM_SRC_ANONYMOUS, PAGE_SIZE,
				  TABLE_GPA);
		memcpy(t->table[i].hva,
		       addr_gpa2hva(vm, align_down(vm_entry_gpa(vm, AREA(i), level),
						   PAGE_SIZE)), PAGE_SIZE);
	}
	parent = vm_entry_gpa(vm, AREA(0), level + 1);
	t->parent = vm_map_gpa(vm, align_down(parent, PAGE_SIZE), PAGE_SIZE) +
		    parent % PAGE_SIZE;
	*(uint64_t *)addr_gpa2hva(vm, parent) = TABLE_GPA | TABLE_FLAGS;
}

static void tables_add(struct tables *t, int which)
{
	vm_mem_region_add_backing(t->a.vm, &t->table[which], t->table[which].hva,
				  TABLE_GPA, TABLE_SLOT, 1, 0);
}

static void tables_expect_area(struct tables *t, int which)
{
	unsigned int i;

	for (i = 0; i < t->a.nr_probes; i++) {
		probe_flush_tlb(&t->a.probes[i]);
		probe_check_pages(&t->a.probes[i], AREA(0), &t->data,
				  which * NR_MAPPED, NR_MAPPED);
	}
}

/* A table that cannot be read maps nothing. */
static void tables_expect_fault(struct tables *t, const char *when)
{
	unsigned int i, page;

	for (i = 0; i < t->a.nr_probes; i++) {
		probe_flush_tlb(&t->a.probes[i]);
		for (page = 0; page < NR_MAPPED; page += NR_MAPPED - 1) {
			gva_t gva = AREA(0) + page * PAGE_SIZE;
			struct probe_result r = probe_read(&t->a.probes[i], gva, 8);

			TEST_ASSERT_ORACLE(r.outcome == PROBE_RAM ? ORACLE_DATA : ORACLE_EXIT,
					   r.outcome == PROBE_EXCEPTION &&
					   r.vector == PF_VECTOR,
					   "vCPU %u, gva 0x%lx, its page table is in a gap (%s): want #PF, got outcome %u vector %lu value 0x%lx; %lu memslot updates so far",
					   i, gva, when, r.outcome, r.vector, r.value,
					   t->a.vm->memslot_updates);
		}
	}
}

/* The guest moves its own entry, so that shadow paging knows. */
static void tables_point_parent(struct tables *t, gpa_t table)
{
	struct probe_result r = probe_write(&t->a.probes[0], t->parent, 8,
					    table | TABLE_FLAGS);

	if (r.outcome != PROBE_RAM)
		probe_unexpected(&t->a.probes[0], t->parent, &r, "a write to RAM");
}

KVM_TEST_F(tables, replaced_with_their_slot)
{
	unsigned int round;
	struct tables t;

	tables_create(&t, variant->level);
	tables_add(&t, 0);
	tables_expect_area(&t, 0);
	for (round = 1; round < 7; round++) {
		breadcrumb("round %u: replace the slot of a page table", round);
		vm_mem_region_delete(t.a.vm, TABLE_SLOT);
		if (round > 4)
			tables_expect_fault(&t, "deleted");
		tables_add(&t, round & 1);
		tables_expect_area(&t, round & 1);
	}
	patterned_mem_check(&t.data, "page tables replaced");
	arena_check_neighbours(&t.a, "page tables replaced");
	arena_free(&t.a);
}

KVM_TEST_F(tables, moved_with_their_slot)
{
	unsigned int round;
	struct tables t;

	tables_create(&t, variant->level);
	tables_add(&t, 0);
	tables_expect_area(&t, 0);
	for (round = 0; round < 4; round++) {
		gpa_t new = round & 1 ? TABLE_GPA : TABLE_GPA2;

		breadcrumb("round %u: move the slot of a page table", round);
		vm_mem_region_move(t.a.vm, TABLE_SLOT, new);
		tables_expect_fault(&t, "moved away");
		tables_point_parent(&t, new);
		tables_expect_area(&t, 0);
	}
	patterned_mem_check(&t.data, "page tables moved");
	arena_check_neighbours(&t.a, "page tables moved");
	arena_free(&t.a);
}

KVM_TEST_MAIN()
