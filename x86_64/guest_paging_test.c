// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest edits its page tables while it uses them. Once it has flushed what the
 * architecture wants flushed, and at once where nothing needs a flush (an entry
 * that was not present, a right that is added), each access goes where the
 * tables lead, with their rights; other translations stay. KVM sets accessed and
 * dirty bits where a CPU would, and never clears one.
 *
 * What breaks this: with shadow paging, entries that are not, or not all, synced
 * with the guest's at INVLPG and at a CR3 write, writes to a page table that are
 * missed or read wrongly, shadow pages that are used with the rights of another
 * path. With TDP, KVM is to keep out of it.
 */
#include "guest_paging.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(guest_paging_test,
	.fixes = FIXES("b1bd5cba3306 KVM: X86: MMU: Use the correct inherited permissions to get shadow page"));

#define A	PTE_ACCESSED_MASK
#define D	PTE_DIRTY_MASK
#define AD	(A | D)

/* By CPL 0 and 3, all that can be known. */
static void access_all_ways(struct paging_cpu *cpu, gva_t gva)
{
	unsigned int user;

	for (user = 0; user < 2; user++) {
		paging_try(cpu, PAGING_READ, gva, user, false);
		paging_try(cpu, PAGING_WRITE, gva, user, false);
		paging_try(cpu, PAGING_EXEC, gva, user, false);
	}
}

/* ---- one entry, from each value to each other one ---- */

enum kind {
	NONE, CLEAN, RW, RO, RWU, NX, OTHER, GAP, GAP_RO,
	TABLE, TABLE_CLEAN, TABLE_RO, TABLE_U, TABLE_NX, TABLE_OTHER, NR_KINDS,
};

FIXTURE_VARIANT(entry) {
	int level;
	unsigned int kinds;			/* BIT(kind) */
};
KVM_FIXTURE(entry)

#define LEAVES		(BIT(NONE) | BIT(CLEAN) | BIT(RW) | BIT(RO) | BIT(RWU) | \
			 BIT(NX) | BIT(OTHER) | BIT(GAP) | BIT(GAP_RO))
#define TABLES		(BIT(NONE) | BIT(TABLE) | BIT(TABLE_CLEAN) |	\
			 BIT(TABLE_RO) | BIT(TABLE_U) | BIT(TABLE_NX) |	\
			 BIT(TABLE_OTHER))

FIXTURE_VARIANT_ADD(entry, pte) { .level = PG_LEVEL_4K, .kinds = LEAVES };
FIXTURE_VARIANT_ADD(entry, pde_2m) { .level = PG_LEVEL_2M, .kinds = LEAVES };
FIXTURE_VARIANT_ADD(entry, pde) { .level = PG_LEVEL_2M, .kinds = TABLES | BIT(RW) };
FIXTURE_VARIANT_ADD(entry, pdpte_1g) { .level = PG_LEVEL_1G, .kinds = LEAVES };
FIXTURE_VARIANT_ADD(entry, pdpte) { .level = PG_LEVEL_1G, .kinds = TABLES | BIT(RW) };
FIXTURE_VARIANT_ADD(entry, pml4e) { .level = PG_LEVEL_512G, .kinds = TABLES };
FIXTURE_VARIANT_ADD(entry, pml5e) { .level = PG_LEVEL_256T, .kinds = TABLES };

static const char *const kind_names[NR_KINDS] = {
	[NONE] = "not present", [CLEAN] = "clean", [RW] = "writable",
	[RO] = "read-only", [RWU] = "user", [NX] = "no-execute",
	[OTHER] = "another page", [GAP] = "a gap", [GAP_RO] = "a read-only gap",
	[TABLE] = "a table",
	[TABLE_CLEAN] = "a table not accessed", [TABLE_RO] = "a read-only table",
	[TABLE_U] = "a table for user", [TABLE_NX] = "a no-execute table",
	[TABLE_OTHER] = "another table",
};

/* Two gvas that go through the entry in question, and some neighbours. */
static const gva_t edit_gvas[] = {
	PAGING_GVA(200, 3, 0, 7), PAGING_GVA(200, 3, 0, 9),
	PAGING_GVA(200, 3, 2, 7), PAGING_GVA(200, 4, 0, 7), PAGING_GVA(202, 3, 5, 7),
};
#define NR_EDITED	2

static gva_t edit_gva(size_t i, int level)
{
	return edit_gvas[i] + (level == PG_LEVEL_256T ? PG_LEVEL_SIZE(PG_LEVEL_256T) : 0);
}

static gva_t other_tree(int level)
{
	return PAGING_GVA(201, 3, 0, 7) +
	       (level == PG_LEVEL_256T ? 2 * PG_LEVEL_SIZE(PG_LEVEL_256T) : 0);
}

static uint64_t kind_value(enum kind kind, int level, const gpa_t tables[2])
{
	gpa_t page = level == PG_LEVEL_4K ? pool_data(7) : POOL_GPA;
	gpa_t other = level == PG_LEVEL_4K ? pool_data(11) : POOL_GPA;
	uint64_t large = level == PG_LEVEL_4K ? 0 : PTE_LARGE_MASK;

	switch (kind) {
	case CLEAN: return page | large | PTE_RW;
	case RW: return page | large | PTE_RW | AD;
	case RO: return page | large | PTE_PRESENT_MASK | A;
	case RWU: return page | large | PTE_RWU | AD;
	case NX: return page | large | PTE_RW | AD | PTE_NX_MASK;
	/* There is no other large page of RAM: the same one, user's and clean. */
	case OTHER: return other | large | PTE_RWU;
	case GAP: return align_down(PAGING_GAP_GPA, PG_LEVEL_SIZE(level)) | large |
			 PTE_RW | AD;
	case GAP_RO: return align_down(PAGING_GAP_GPA, PG_LEVEL_SIZE(level)) | large |
			    PTE_PRESENT_MASK | AD;
	case TABLE: return tables[0] | PTE_RW | A;
	case TABLE_CLEAN: return tables[0] | PTE_RW;
	case TABLE_RO: return tables[0] | PTE_PRESENT_MASK | PTE_USER_MASK | A;
	case TABLE_U: return tables[0] | PTE_RWU | A;
	case TABLE_NX: return tables[0] | PTE_RW | A | PTE_NX_MASK;
	case TABLE_OTHER: return tables[1] | PTE_RWU | A;
	default: return 0;
	}
}

static void access_edited(struct paging_cpu *cpu, int level)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(edit_gvas); i++) {
		if (i < NR_EDITED)
			access_all_ways(cpu, edit_gva(i, level));
		else
			paging_try(cpu, PAGING_READ, edit_gva(i, level), i & 1, false);
	}
}

static void edit_one_entry(struct paging *p, int level, enum kind from, enum kind to,
			   const gpa_t tables[2], bool by_invlpg)
{
	gpa_t entry = paging_entry(p, p->root, edit_gva(0, level), level);
	struct paging_cpu *cpu = &p->cpu[0];
	size_t i;

	paging_write(cpu, entry, kind_value(from, level, tables));
	paging_flush(cpu);
	access_edited(cpu, level);
	paging_write(cpu, entry, kind_value(to, level, tables));
	/* What needs no flush. */
	access_edited(cpu, level);
	for (i = 0; i < ARRAY_SIZE(edit_gvas) && by_invlpg; i++)
		paging_invlpg(cpu, edit_gva(i, level));
	if (!by_invlpg)
		paging_flush(cpu);
	access_edited(cpu, level);
	paging_run(cpu, "entry of level %d from %s to %s, then %s", level,
		   kind_names[from], kind_names[to], by_invlpg ? "INVLPG" : "a CR3 write");
}

KVM_TEST_F(entry, each_value_to_each_other)
{
	const int level = variant->level;
	enum kind from, to;
	gpa_t tables[2];
	struct paging p;
	size_t i;

	__TEST_REQUIRE(level != PG_LEVEL_1G || guest_has_gbpages(),
		       "needs 1G pages in the guest's CPUID");
	if (level == PG_LEVEL_256T)
		vm_use_top_level(level);
	paging_create(&p, 1);
	for (i = 0; i < ARRAY_SIZE(edit_gvas); i++)
		paging_map(&p, p.root, edit_gva(i, level), PG_LEVEL_4K,
			   pool_data(20 + i) | PTE_RWU, PTE_RWU);
	for (i = 0; i < 2; i++)
		paging_map(&p, p.root, other_tree(level) + i * 2 * PAGE_SIZE, PG_LEVEL_4K,
			   pool_data(30 + i) | PTE_RWU, PTE_RWU);
	if (level > PG_LEVEL_4K) {
		for (i = 0; i < 2; i++)
			tables[i] = paging_peek(&p, paging_entry(&p, p.root,
						i ? other_tree(level) : edit_gva(0, level), level)) &
				    PHYSICAL_PAGE_MASK;
	}
	breadcrumb("edit an entry of level %d", level);
	for (from = 0; from < NR_KINDS; from++) {
		for (to = 0; to < NR_KINDS; to++) {
			if (from == to || ~variant->kinds & (BIT(from) | BIT(to)))
				continue;
			edit_one_entry(&p, level, from, to, tables, (from + to) & 1);
			if (level == PG_LEVEL_4K)
				edit_one_entry(&p, level, from, to, tables,
					       !((from + to) & 1));
		}
		paging_check_pool(&p, kind_names[from]);
	}
	paging_free(&p);
}

/* ---- a page table that is written many times ---- */

#define NR_UNSYNC	100

static gva_t unsync_gva(unsigned int i)
{
	return PAGING_GVA(200, 3, 5, 1 + i);
}

static const enum paging_op store_ops[] = {
	PAGING_WRITE, PAGING_WRITE, PAGING_WRITE32, PAGING_WRITE8, PAGING_XCHG,
	PAGING_XCHG32, PAGING_XCHG16, PAGING_XCHG8,
};

static void edit_by_any_store(struct paging_cpu *cpu, gpa_t entry, uint64_t value)
{
	paging_write_by(cpu, store_ops[test_random() % ARRAY_SIZE(store_ops)], entry,
			value);
}

KVM_TEST(all_edits_count_after_a_flush)
{
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct paging p;
	gpa_t table;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < NR_UNSYNC; i++)
		paging_map(&p, p.root, unsync_gva(i), PG_LEVEL_4K, paging_random_pte(), PTE_RWU);
	table = align_down(paging_entry(&p, p.root, unsync_gva(0), PG_LEVEL_4K), PAGE_SIZE);
	breadcrumb("write a page table many times between flushes");
	for (round = 0; round < 10; round++) {
		for (i = 0; i < NR_UNSYNC; i++)
			paging_try_any(cpu, unsync_gva(i));
		for (i = test_random() % 250; i; i--) {
			gpa_t entry = table + (1 + test_random() % NR_UNSYNC) * 8;

			/* Now and then in the middle, one that needs no flush. */
			if (i % 16 == 0)
				paging_try_any(cpu, unsync_gva(test_random() % NR_UNSYNC));
			edit_by_any_store(cpu, entry, paging_random_pte());
		}
		for (i = 0; i < NR_UNSYNC; i++)
			paging_try_any(cpu, unsync_gva(i));
		for (i = 0; i < NR_UNSYNC && round % 3; i++) {
			/* One by one: those behind are not flushed yet. */
			paging_invlpg(cpu, unsync_gva(i));
			paging_try_any(cpu, unsync_gva(i));
		}
		paging_flush(cpu);
		for (i = 0; i < NR_UNSYNC; i++)
			paging_try_any(cpu, unsync_gva(i));
		paging_run(cpu, "round %u", round);
		paging_check_pool(&p, "page table written many times");
	}
	paging_free(&p);
}

/* ---- anything at any level, on two vCPUs ---- */

#define NR_PDPT		2
#define NR_PD		3
#define NR_PT		5
#define PER_TABLE	2	/* entries in use, from 1 on */

struct tree {
	gpa_t pdpt[NR_PDPT], pd[NR_PD], pt[NR_PT];
};

static uint64_t random_table(gpa_t table)
{
	uint64_t r = test_random();
	uint64_t flags = PTE_RWU;

	if (r % 16 == 0)
		return 0;
	if (r % 8 == 1)
		flags &= ~PTE_WRITABLE_MASK;
	if (r / 8 % 8 == 1)
		flags &= ~PTE_USER_MASK;
	if (r / 64 % 8 == 1)
		flags |= PTE_NX_MASK;
	if (r / 512 % 2)
		flags |= A;
	return table | flags;
}

static uint64_t random_large(void)
{
	return (test_random() % 16 ? POOL_GPA : PAGING_GAP_GPA & ~(SZ_2M - 1)) |
	       PTE_RWU | PTE_LARGE_MASK | AD |
	       (test_random() % 4 ? 0 : PTE_NX_MASK);
}

/* A new value for an entry that is drawn, by vCPU @cpu or, without, the host. */
static void edit_something(struct paging *p, struct paging_cpu *cpu, struct tree *t)
{
	unsigned int index = 1 + test_random() % PER_TABLE;
	gpa_t entry = index * 8;
	uint64_t value;

	switch (test_random() % 16) {
	case 0:
		entry += align_down(paging_entry(p, p->root, PAGING_GVA(200, 1, 1, 1),
						 PG_LEVEL_512G), PAGE_SIZE) + 199 * 8;
		value = random_table(t->pdpt[test_random() % NR_PDPT]);
		break;
	case 1 ... 2:
		entry += t->pdpt[test_random() % NR_PDPT];
		value = random_table(t->pd[test_random() % NR_PD]);
		break;
	case 3 ... 6:
		entry += t->pd[test_random() % NR_PD];
		value = test_random() % 4 ? random_table(t->pt[test_random() % NR_PT]) :
					    random_large();
		break;
	default:
		entry += t->pt[test_random() % NR_PT];
		value = paging_random_pte();
	}
	if (cpu)
		edit_by_any_store(cpu, entry, value);
	else
		paging_poke(p, entry, value);
}

static void tree_create(struct paging *p, struct tree *t)
{
	unsigned int i, j, k, l;

	for (i = 0; i < NR_PDPT; i++)
		t->pdpt[i] = paging_new_table(p);
	for (i = 0; i < NR_PD; i++)
		t->pd[i] = paging_new_table(p);
	for (i = 0; i < NR_PT; i++)
		t->pt[i] = paging_new_table(p);
	for (i = 0; i < 2; i++)
		for (j = 0; j < PER_TABLE; j++)
			for (k = 0; k < PER_TABLE; k++)
				for (l = 0; l < PER_TABLE; l++)
					paging_watch(p, PAGING_GVA(200 + i, 1 + j,
								   1 + k, 1 + l));
	for (i = 0; i < 200; i++)
		edit_something(p, NULL, t);
}

static void flush_somehow(struct paging_cpu *cpu)
{
	unsigned int i;

	switch (test_random() % 4) {
	case 0:
		paging_flush(cpu);
		return;
	case 1:
		paging_flush_by_pge(cpu);
		return;
	}
	for (i = 0; i < cpu->p->nr_watched; i++)
		paging_invlpg(cpu, cpu->p->watched[i]);
}

KVM_TEST(anything_is_edited_at_any_level, .timeout = 30)
{
	unsigned int round, i;
	struct paging p;
	struct tree t;

	paging_create(&p, 2);
	tree_create(&p, &t);
	breadcrumb("edit page tables at all levels");
	for (round = 0; round < 150; round++) {
		struct paging_cpu *editor = &p.cpu[test_random() % 2];
		struct paging_cpu *other = &p.cpu[editor == &p.cpu[0]];

		for (i = 1 + test_random() % 12; i; i--)
			edit_something(&p, editor, &t);
		paging_try_all(editor);
		flush_somehow(editor);
		paging_try_all(editor);
		paging_run(editor, "round %u, vCPU %u edits", round, editor->vcpu->id);
		/* The other one learns of it by a shoot-down, late or early. */
		paging_try_all(other);
		flush_somehow(other);
		paging_try_all(other);
		paging_run(other, "round %u, the other vCPU", round);
	}
	paging_free(&p);
}

/* ---- edited by the host ---- */

/* More than KVM collects in one go, below one entry and below several. */
KVM_TEST(many_tables_are_edited_before_a_flush)
{
	enum { NR_TABLES = 48 };
	gpa_t leaf[NR_TABLES];
	gva_t gva[NR_TABLES];
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct paging p;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	/* A VM of this size is allowed few, of which the oldest would go. */
	vm_ioctl(p.vm, KVM_SET_NR_MMU_PAGES, 1024UL);
	for (i = 0; i < NR_TABLES; i++) {
		gva[i] = PAGING_GVA(200, 3 + i / 24, i % 24, 5);
		leaf[i] = paging_map(&p, p.root, gva[i], PG_LEVEL_4K, pool_data(i) | PTE_RWU | AD,
				     PTE_RWU | A);
	}
	for (round = 1; round < 6; round++) {
		breadcrumb("round %u: edit %u tables", round, NR_TABLES);
		for (i = 0; i < NR_TABLES; i++)
			paging_access(cpu, PAGING_READ, gva[i], i % 2);
		for (i = 0; i < NR_TABLES; i++)
			paging_write(cpu, leaf[i], pool_data((i + round * 7) % 256) | PTE_RWU | AD);
		if (round % 2)
			paging_flush(cpu);
		else
			paging_flush_by_pge(cpu);
		for (i = 0; i < NR_TABLES; i++)
			paging_access(cpu, PAGING_READ, gva[i], i % 2);
		paging_run(cpu, "round %u, %u tables edited and one flush", round, NR_TABLES);
	}
	paging_free(&p);
}

/*
 * Past KVM, for which there is no promise with shadow paging: only what it has
 * never seen present must be right there.
 */
KVM_TEST(edits_by_the_host)
{
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct paging p;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < NR_UNSYNC; i++)
		paging_map(&p, p.root, unsync_gva(i), PG_LEVEL_4K, 0, PTE_RWU);
	breadcrumb("the host writes to a page table in use");
	for (round = 0; round < 10; round++) {
		for (i = 0; i < NR_UNSYNC; i++) {
			gpa_t entry = paging_entry(&p, p.root, unsync_gva(i), PG_LEVEL_4K);

			if (kvm_is_tdp_enabled() || (i % 10 == round &&
						     !(paging_peek(&p, entry) & 1)))
				paging_poke(&p, entry, paging_random_pte());
		}
		paging_try_all(cpu);
		paging_flush(cpu);
		paging_try_all(cpu);
		paging_run(cpu, "round %u, the host edits", round);
	}
	paging_free(&p);
}

/* ---- a slot that goes and comes back ---- */

KVM_TEST(slot_deleted_under_its_mappings)
{
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct paging p;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < 8; i++)
		paging_map(&p, p.root, unsync_gva(i), PG_LEVEL_4K,
			   pool_data(40 + i) | PTE_RWU | AD, PTE_RWU);
	paging_map(&p, p.root, PAGING_GVA(200, 3, 6, 7), PG_LEVEL_2M,
		   POOL_GPA | PTE_RWU | PTE_LARGE_MASK | AD, PTE_RWU);
	for (round = 0; round < 6; round++) {
		bool there = round % 2;

		paging_try_all(cpu);
		paging_run(cpu, "before slot update %u", round);
		breadcrumb("round %u: %s the slot of the data", round,
			   there ? "add" : "delete");
		paging_set_data_slot(&p, there);
		for (i = 0; i < 2; i++) {
			paging_try_all(cpu);
			paging_run(cpu, "the data's slot is %s",
				   there ? "there again" : "deleted");
		}
		/* And edits go on, from RAM to a gap and back, or the reverse. */
		for (i = 0; i < 4; i++)
			paging_write(cpu, paging_entry(&p, p.root, unsync_gva(i), PG_LEVEL_4K),
				     (round & 2 ? pool_data(50 + i) : PAGING_GAP_GPA) |
				     PTE_RWU | AD);
		paging_flush(cpu);
		paging_try_all(cpu);
		paging_run(cpu, "edited after slot update %u", round);
	}
	paging_free(&p);
}

/* ---- accessed and dirty ---- */

FIXTURE_VARIANT(leaf) {
	int level;
};
KVM_FIXTURE(leaf)

FIXTURE_VARIANT_ADD(leaf, 4k) { .level = PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(leaf, 2m) { .level = PG_LEVEL_2M };
FIXTURE_VARIANT_ADD(leaf, 1g) { .level = PG_LEVEL_1G };

static void access_and_check(struct paging_cpu *cpu, enum paging_op op, gva_t gva,
			     bool user, const char *when)
{
	paging_access(cpu, op, gva, user);
	paging_run(cpu, "%s", when);
	paging_check_pool(cpu->p, when);
}

KVM_TEST_F(leaf, accessed_and_dirty)
{
	const gva_t gva = PAGING_GVA(200, 3, 0, 7);
	const int level = variant->level;
	unsigned int mask, user;
	struct paging_cpu *cpu;
	struct paging p;
	int l;

	__TEST_REQUIRE(level != PG_LEVEL_1G || guest_has_gbpages(),
		       "needs 1G pages in the guest's CPUID");
	paging_create(&p, 1);
	cpu = &p.cpu[0];
	paging_map(&p, p.root, gva, level, (level > PG_LEVEL_4K ?
		   POOL_GPA | PTE_LARGE_MASK : pool_data(7)) | PTE_RWU, PTE_RWU);
	/* Which of the accessed bits, and of the leaf's dirty bit, are set before. */
	for (mask = 0; mask < 32; mask++) {
		for (l = PG_LEVEL_512G; l >= level; l--) {
			gpa_t entry = paging_entry(&p, p.root, gva, l);
			uint64_t e = paging_model(&p, entry) & ~AD;

			if (mask & BIT(l - 1))
				e |= A;
			if (l == level && mask & BIT(4))
				e |= D;
			paging_write(cpu, entry, e);
		}
		paging_flush(cpu);
		user = mask & 1;
		access_and_check(cpu, PAGING_READ, gva, user, "first read");
		access_and_check(cpu, PAGING_EXEC, gva, !user, "fetch after a read");
		access_and_check(cpu, PAGING_OUTS, gva, user, "OUTS after a read");
		if (mask & BIT(3))
			access_and_check(cpu, PAGING_MOVS, gva, user, "write by KVM");
		else
			access_and_check(cpu, PAGING_WRITE, gva, user, "first write");
		access_and_check(cpu, PAGING_WRITE, gva, user, "second write");
		access_and_check(cpu, PAGING_READ, gva, !user, "read after writes");
	}
	paging_free(&p);
}

/*
 * Nor can KVM set them where a memslot is read-only. With TDP it is the CPU that
 * would write there, or pretend to: every instruction would be emulated.
 */
KVM_TEST(tables_in_a_readonly_slot, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	struct paging_cpu *cpu;
	struct paging p;
	unsigned int i;

	__TEST_REQUIRE(!kvm_is_tdp_enabled(), "needs shadow paging: kvm_amd.npt=0 or kvm_intel.ept=0");
	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < NR_UNSYNC; i++)
		paging_map(&p, p.root, unsync_gva(i), PG_LEVEL_4K, paging_random_pte(), PTE_RWU);
	paging_set_tables_readonly(&p);
	for (i = 0; i < 4; i++) {
		breadcrumb("round %u: page tables in a read-only slot", i);
		paging_try_all(cpu);
		paging_flush(cpu);
		paging_run(cpu, "round %u: page tables in a read-only slot", i);
		paging_check_pool(&p, "page tables in a read-only slot");
	}
	paging_free(&p);
}

KVM_TEST_MAIN()
