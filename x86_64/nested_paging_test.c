// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1's tables for its L2: nested page tables, or L2's page tables. What they say
 * is what L2 gets: which page, with which rights, and else a fault with the right
 * address and error code; at once where the architecture wants no flush, and after
 * a flush in any case.
 *
 * What breaks this: shadow pages that are not synchronized when L2 is entered; roots
 * and roles of the nested MMU that are those of another MMU, of L2's registers, or of
 * a root that L1 no longer uses; reserved bits by the wrong CPU's rules.
 */
#include "kvm_test_harness.h"
#include "nested.h"
#include "pattern.h"

KVM_TEST_SUITE(nested_paging_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("07ffaf343e34 KVM: nVMX: Sync all PGDs on nested transition with shadow paging"));

#define NPAGES		8
#define PAGE_GPA(i)	(NESTED_GPA + (i) * PAGE_SIZE)
#define PAGE_OFF(i)	((i) * PAGE_SIZE)
/* Offset 0 of each page says which one it is; code is further on. */
#define PATTERN		((struct pattern){ .round = 1, .slot = NESTED_SLOT })
#define WORD(i)		pattern_word(PATTERN, i, 0)
#define CODE		PATTERN_CODE_OFFSET

KVM_FIXTURE(l2);
FIXTURE_VARIANT(l2) {
	bool paging;
};

FIXTURE_VARIANT_ADD(l2, nested_paging) { .paging = true };
FIXTURE_VARIANT_ADD(l2, own_page_tables) { .paging = false };

/* 4M of patterned RAM; the window has nothing yet. */
#define RAM_PAGES	1024

static struct nested_cpu *create(struct nested *n, bool paging)
{
	nested_create(n, 1, paging);
	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA, NESTED_SLOT,
				    RAM_PAGES, 0);
	pattern_fill(addr_gpa2hva(n->vm, NESTED_GPA), RAM_PAGES * PAGE_SIZE, PATTERN);
	return &n->cpu[0];
}

static uint64_t leaf(struct nested_cpu *cpu, unsigned int page, unsigned int rights)
{
	return nested_leaf(cpu->n, PAGE_GPA(page), PG_LEVEL_4K, rights);
}

/* L1 writes its entry, and flushes in one of the ways that will do. */
static void edit(struct nested_cpu *cpu, uint64_t off, int level, uint64_t entry)
{
	l1_set_entry(cpu, off, level, entry);
	if (!cpu->n->paging && test_random() % 2)
		nested_order(cpu, L1_INVALIDATE, NESTED_L2_GVA + off, 0,
			     NESTED_WANT(ANY, 0));
	else
		l1_flush(cpu);
}

/* ---- edits ---- */

KVM_TEST_F(l2, sees_pages_unmapped_and_mapped)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < 2 * NPAGES; i++) {
		unsigned int from = i % NPAGES, to = (i + 3) % NPAGES;

		l2_read(cpu, PAGE_OFF(from), WORD(from));
		edit(cpu, PAGE_OFF(from), PG_LEVEL_4K, leaf(cpu, to, NESTED_RWX));
		l2_read(cpu, PAGE_OFF(from), WORD(to));
		edit(cpu, PAGE_OFF(from), PG_LEVEL_4K, 0);
		l2_fault(cpu, L2_READ, PAGE_OFF(from), 0);
		l2_fault(cpu, L2_EXEC, PAGE_OFF(from) + CODE, PFERR_FETCH_MASK);
		/* What was not present is nowhere remembered. */
		l1_set_entry(cpu, PAGE_OFF(from), PG_LEVEL_4K,
			     leaf(cpu, from, NESTED_RWX));
		l2_read(cpu, PAGE_OFF(from), WORD(from));
		l2_exec(cpu, PAGE_OFF(from) + CODE);
		nested_run(cpu, "page %u, then %u, then none, then %u", from, to, from);
	}
	nested_free(&n);
}

KVM_TEST_F(l2, loses_and_gains_rights)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < NPAGES; i++) {
		uint64_t off = PAGE_OFF(i);

		l2_write(cpu, off + 8, i);
		l2_exec(cpu, off + CODE);
		edit(cpu, off, PG_LEVEL_4K, leaf(cpu, i, NESTED_R | NESTED_X));
		l2_fault(cpu, L2_WRITE, off, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, off, WORD(i));
		l2_exec(cpu, off + CODE);
		edit(cpu, off, PG_LEVEL_4K, leaf(cpu, i, NESTED_RW));
		l2_write(cpu, off + 8, ~i);
		l2_fault(cpu, L2_EXEC, off + CODE, PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, off + 8, ~i);
		edit(cpu, off, PG_LEVEL_4K, leaf(cpu, i, NESTED_RWX));
		l2_exec(cpu, off + CODE);
		l1_read(cpu, PAGE_GPA(i) + 8, ~i);
		nested_run(cpu, "page %u", i);
	}
	nested_free(&n);
}

/* A 2M leaf becomes a table, one page of which is changed, and a leaf again. */
KVM_TEST_F(l2, sees_large_leaves_split_and_joined)
{
	struct nested_cpu *cpu;
	struct nested n;
	uint64_t large, link;
	unsigned int i;

	cpu = create(&n, variant->paging);
	/* The table, which is not in use at first. */
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	link = *nested_entry(&n, 0, PG_LEVEL_2M);
	large = nested_leaf(&n, NESTED_GPA, PG_LEVEL_2M, NESTED_RWX);
	*nested_entry(&n, PAGE_OFF(5), PG_LEVEL_4K) = leaf(cpu, 600, NESTED_RW);
	*nested_entry(&n, PAGE_OFF(6), PG_LEVEL_4K) = leaf(cpu, 6, NESTED_R);
	*nested_entry(&n, PAGE_OFF(7), PG_LEVEL_4K) = 0;
	*nested_entry(&n, 0, PG_LEVEL_2M) = large;
	for (i = 0; i < 5; i++) {
		l2_read(cpu, PAGE_OFF(5), WORD(5));
		l2_write(cpu, PAGE_OFF(6) + 8, i);
		l2_read(cpu, PAGE_OFF(7), WORD(7));
		l2_exec(cpu, PAGE_OFF(511) + CODE);
		edit(cpu, 0, PG_LEVEL_2M, link);
		l2_read(cpu, PAGE_OFF(5), WORD(600));
		l2_fault(cpu, L2_WRITE, PAGE_OFF(6) + 8,
			 PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, PAGE_OFF(6) + 8, i);
		l2_fault(cpu, L2_READ, PAGE_OFF(7), 0);
		l2_read(cpu, PAGE_OFF(511), WORD(511));
		/* To other pages, and back. */
		edit(cpu, 0, PG_LEVEL_2M,
		     nested_leaf(&n, NESTED_GPA + SZ_2M, PG_LEVEL_2M, NESTED_R));
		l2_read(cpu, PAGE_OFF(5), WORD(512 + 5));
		l2_fault(cpu, L2_EXEC, PAGE_OFF(5) + CODE,
			 PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		edit(cpu, 0, PG_LEVEL_2M, large);
		nested_run(cpu, "round %u", i);
	}
	nested_free(&n);
}

/* L2 has the table mapped and writes the entry itself. */
KVM_TEST_F(l2, writes_the_tables)
{
	const uint64_t table_off = SZ_2M;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	gpa_t table;

	cpu = create(&n, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	table = align_down(nested_entry_gpa(&n, 0, PG_LEVEL_4K), PAGE_SIZE);
	nested_map(&n, table_off, table, PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	for (i = 0; i < NPAGES; i++) {
		unsigned int to = (i + 3) % NPAGES;

		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l2_write(cpu, table_off + 8 * i, 0);
		l1_flush(cpu);
		l2_fault(cpu, L2_READ, PAGE_OFF(i), 0);
		l2_write(cpu, table_off + 8 * i, leaf(cpu, to, NESTED_RW));
		l2_read(cpu, PAGE_OFF(i), WORD(to));
		l2_fault(cpu, L2_EXEC, PAGE_OFF(i) + CODE,
			 PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		l2_write(cpu, table_off + 8 * i, leaf(cpu, i, NESTED_R));
		if (variant->paging)
			l1_flush(cpu);
		else
			nested_order(cpu, L2_INVLPG, NESTED_L2_GVA + PAGE_OFF(i), 0,
				     NESTED_WANT(ANY, 0));
		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l2_fault(cpu, L2_WRITE, PAGE_OFF(i),
			 PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		nested_run(cpu, "entry %u", i);
	}
	nested_free(&n);
}

/* ---- rights and reserved bits, at each level ---- */

/* What one entry takes from below it, be it a leaf or not. */
static uint64_t weaker(struct nested *n, uint64_t entry, unsigned int rights)
{
	if (n->paging && !n->amd)
		return entry & ~((rights & NESTED_W ? 0 : EPT_WRITE) |
				 (rights & NESTED_X ? 0 : EPT_EXEC));
	return (entry & ~(rights & NESTED_W ? 0 : PTE_WRITABLE_MASK)) |
	       (rights & NESTED_X ? 0 : PTE_NX_MASK);
}

static void try_rights(struct nested_cpu *cpu, uint64_t off, unsigned int page,
		       unsigned int rights)
{
	l2_read(cpu, off, WORD(page));
	if (rights & NESTED_W)
		l2_write(cpu, off + 8, rights);
	else
		l2_fault(cpu, L2_WRITE, off + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
	if (rights & NESTED_X)
		l2_exec(cpu, off + CODE);
	else
		l2_fault(cpu, L2_EXEC, off + CODE, PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
}

/* L2 can do without what is in the window's entry of this level. */
static int top_level(struct nested *n)
{
	return n->paging ? PG_LEVEL_1G : PG_LEVEL_512G;
}

/*
 * Before 5.14, reserved bits of nested page tables went by L2's EFER; the fix is
 * "KVM: x86/mmu: Use MMU's role, not vCPU's state".
 */
static bool efer_of_l2_counts(void)
{
	return !kernel_at_least(5, 14) && !kvm_test_option("known_bugs", 0);
}

static void rights_at_each_level(struct nested_cpu *cpu, int leaf_level)
{
	static const unsigned int rights[] = {
		NESTED_RWX, NESTED_RW, NESTED_R | NESTED_X, NESTED_R,
	};
	struct nested *n = cpu->n;
	uint64_t entry;
	unsigned int i;
	int level;

	for (level = leaf_level; level <= top_level(n); level++) {
		entry = *nested_entry(n, PAGE_OFF(3), level);
		for (i = 0; i < ARRAY_SIZE(rights); i++) {
			edit(cpu, PAGE_OFF(3), level, weaker(n, entry, rights[i]));
			try_rights(cpu, PAGE_OFF(3), 3, rights[i]);
		}
		edit(cpu, PAGE_OFF(3), level, entry);
		try_rights(cpu, PAGE_OFF(3), 3, NESTED_RWX);
		try_rights(cpu, PAGE_OFF(4), 4, NESTED_RWX);
		nested_run(cpu, "rights of level %d, leaf of level %d", level, leaf_level);
	}
}

KVM_TEST_F(l2, has_the_rights_of_all_levels)
{
	struct nested_cpu *cpu;
	struct nested n;

	cpu = create(&n, variant->paging);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	rights_at_each_level(cpu, PG_LEVEL_4K);
	*nested_entry(&n, 0, PG_LEVEL_2M) = 0;
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_2M, NESTED_RWX);
	rights_at_each_level(cpu, PG_LEVEL_2M);
	nested_free(&n);
}

/*
 * CR0.WP, EFER.NX, SMEP and SMAP of L2 do not count for L1's nested page tables, nor
 * do SMEP and SMAP of L1, as all accesses are a user's: the CPU's own, and those that
 * KVM emulates.
 */
KVM_TEST(nested_rights_are_not_of_registers)
{
	static const struct {
		uint64_t l1_cr4, l2_cr0_clear, l2_cr4_toggle, l2_efer_toggle;
	} regs[] = {
		{ 0, X86_CR0_WP, 0, 0 },
		{ 0, 0, 0, EFER_NX },
		{ 0, X86_CR0_WP, X86_CR4_SMEP | X86_CR4_SMAP, EFER_NX },
		{ X86_CR4_SMEP | X86_CR4_SMAP, 0, 0, 0 },
		{ X86_CR4_SMEP | X86_CR4_SMAP, 0, X86_CR4_SMEP | X86_CR4_SMAP, 0 },
	};
	const struct kvm_cpuid_entry2 *e =
		get_cpuid_entry(kvm_get_supported_cpuid(), 7, 0);
	uint64_t mask = (e && e->ebx & BIT(7) ? X86_CR4_SMEP : 0) |
			(e && e->ebx & BIT(20) ? X86_CR4_SMAP : 0);
	struct kvm_sregs sregs;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		if (regs[i].l2_efer_toggle && efer_of_l2_counts()) {
			pr_info("not tried: another EFER.NX in L2, a known bug of this kernel (--set known_bugs=1 to see)");
			continue;
		}
		cpu = create(&n, true);
		vcpu_sregs_get(cpu->vcpu, &sregs);
		sregs.cr4 |= regs[i].l1_cr4 & mask;
		vcpu_sregs_set(cpu->vcpu, &sregs);
		cpu->box->l2_cr0_clear = regs[i].l2_cr0_clear;
		cpu->box->l2_cr4_toggle = regs[i].l2_cr4_toggle & mask;
		cpu->box->l2_efer_toggle = regs[i].l2_efer_toggle;
		nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
		nested_map(&n, SZ_2M, NESTED_GPA + SZ_1G / 2, SZ_2M, PG_LEVEL_2M, NESTED_RW);
		breadcrumb("L1 with CR4 0x%lx; L2 without CR0 0x%lx, with other CR4 0x%lx, EFER 0x%lx",
			   regs[i].l1_cr4 & mask, regs[i].l2_cr0_clear,
			   regs[i].l2_cr4_toggle & mask, regs[i].l2_efer_toggle);
		l2_read_gap(cpu, SZ_2M, NESTED_GPA + SZ_1G / 2);
		l2_write_gap(cpu, SZ_2M + PAGE_SIZE, NESTED_GPA + SZ_1G / 2 + PAGE_SIZE, i);
		rights_at_each_level(cpu, PG_LEVEL_4K);
		nested_free(&n);
	}
}

/* Bits that must be 0: here in an entry that leads to RAM. */
static void expect_reserved(struct nested_cpu *cpu, int level, uint64_t bits)
{
	uint64_t entry = *nested_entry(cpu->n, 0, level);
	const uint64_t error = PFERR_RSVD_MASK | PFERR_PRESENT_MASK;

	l2_read(cpu, 0, WORD(0));
	edit(cpu, 0, level, entry | bits);
	if (level > top_level(cpu->n)) {
		/* The first to fault on it is the walk of L2's page tables. */
		nested_order(cpu, L2_READ, NESTED_L2_GVA, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
	} else {
		l2_fault(cpu, L2_READ, 0, error);
		l2_fault(cpu, L2_WRITE, 8, error | PFERR_WRITE_MASK);
	}
	edit(cpu, 0, level, entry);
	l2_read(cpu, 0, WORD(0));
	nested_run(cpu, "reserved bits 0x%lx in an entry of level %d", bits, level);
}

KVM_TEST_F(l2, faults_on_reserved_bits)
{
	struct nested_cpu *cpu;
	struct nested n;
	int level;

	cpu = create(&n, variant->paging);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	for (level = PG_LEVEL_4K; level <= PG_LEVEL_512G; level++) {
		if (n.vm->pa_bits < 52)
			expect_reserved(cpu, level, BIT_ULL(51));
		if (n.vm->pa_bits < 51)
			expect_reserved(cpu, level, BIT_ULL(n.vm->pa_bits));
	}
	expect_reserved(cpu, PG_LEVEL_512G, PTE_LARGE_MASK);
	*nested_entry(&n, 0, PG_LEVEL_2M) = 0;
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_2M, NESTED_RWX);
	expect_reserved(cpu, PG_LEVEL_2M, BIT_ULL(13));
	expect_reserved(cpu, PG_LEVEL_2M, BIT_ULL(20));
	nested_free(&n);
}

/* NX is L1's to turn on, whatever L2's EFER says. */
KVM_TEST(nx_of_npt_is_reserved_without_nx_in_l1)
{
	struct kvm_sregs sregs;
	struct nested_cpu *cpu;
	struct nested n;

	__TEST_REQUIRE(host_is_amd(), "needs NPT, whose format is that of L1's page tables");
	__TEST_REQUIRE(!efer_of_l2_counts(),
		       "a known bug of this kernel: reserved bits of nested page tables by L2's EFER; --set known_bugs=1 makes it a failure");
	cpu = create(&n, true);
	vcpu_sregs_get(cpu->vcpu, &sregs);
	sregs.efer &= ~EFER_NX;
	vcpu_sregs_set(cpu->vcpu, &sregs);
	cpu->box->l2_efer_toggle = EFER_NX;
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	expect_reserved(cpu, PG_LEVEL_4K, PTE_NX_MASK);
	expect_reserved(cpu, PG_LEVEL_2M, PTE_NX_MASK);
	nested_free(&n);
}

/* What only EPT has: combinations and memory types that are none. */
KVM_TEST(ept_misconfigurations_are_l1s)
{
	struct nested_cpu *cpu;
	struct nested n;

	__TEST_REQUIRE(!host_is_amd(), "needs EPT");
	cpu = create(&n, true);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	l2_read(cpu, 0, WORD(0));
	/* Writable, but not readable; memory type 2, or 7. */
	edit(cpu, 0, PG_LEVEL_4K, NESTED_GPA | EPT_WB | EPT_WRITE);
	l2_fault(cpu, L2_READ, 0, PFERR_RSVD_MASK);
	edit(cpu, 0, PG_LEVEL_4K, NESTED_GPA | 2 << 3 | EPT_READ);
	l2_fault(cpu, L2_READ, 0, PFERR_RSVD_MASK);
	edit(cpu, 0, PG_LEVEL_4K, NESTED_GPA | 7 << 3 | EPT_READ | EPT_WRITE);
	l2_fault(cpu, L2_WRITE, 0, PFERR_RSVD_MASK);
	edit(cpu, 0, PG_LEVEL_4K, leaf(cpu, 1, NESTED_R));
	l2_read(cpu, 0, WORD(1));
	nested_run(cpu, "EPT misconfigurations");
	nested_free(&n);
}

/* ---- roots ---- */

#define NR_ROOTS	4

KVM_TEST_F(l2, sees_the_root_that_l1_sets)
{
	gpa_t roots[NR_ROOTS];
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, variant->paging);
	for (i = 0; i < NR_ROOTS; i++) {
		roots[i] = i ? nested_new_root(&n) : n.root;
		__nested_map(&n, roots[i], 0, PAGE_GPA(i), PAGE_SIZE, PG_LEVEL_4K,
			     i % 2 ? NESTED_R : NESTED_RW);
	}
	for (i = 0; i < 24; i++) {
		unsigned int at = (i * i + i / 3) % NR_ROOTS;

		l1_set_root(cpu, roots[at]);
		l2_read(cpu, 0, WORD(at));
		if (at % 2)
			l2_fault(cpu, L2_WRITE, 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		else
			l2_write(cpu, 8, i);
		l2_fault(cpu, L2_READ, PAGE_SIZE, 0);
	}
	nested_run(cpu, "roots in turn");
	nested_free(&n);
}

/* L1 changes the tables of a root that it does not use at the time. */
KVM_TEST_F(l2, sees_roots_edited_while_unused)
{
	gpa_t roots[2], entry[2];
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i, at;

	cpu = create(&n, variant->paging);
	for (i = 0; i < 2; i++) {
		roots[i] = i ? nested_new_root(&n) : n.root;
		__nested_map(&n, roots[i], 0, PAGE_GPA(i), PAGE_SIZE, PG_LEVEL_4K,
			     NESTED_RW);
		entry[i] = n.tables_gva + (n.nr_tables - 1) * PAGE_SIZE;
		l1_set_root(cpu, roots[i]);
		l2_read(cpu, 0, WORD(i));
	}
	for (i = 0; i < 12; i++) {
		at = i % 2;
		l1_write(cpu, entry[at], leaf(cpu, i % NPAGES, NESTED_RW));
		l1_set_root(cpu, roots[at]);
		l1_flush(cpu);
		l2_read(cpu, 0, WORD(i % NPAGES));
		l2_write(cpu, 8, i);
		nested_run(cpu, "entry of root %u", at);
	}
	nested_free(&n);
}

/*
 * The root, or another table, is in no memslot, or in one that goes; then it is L1
 * that hears of it, by whatever exit this KVM has for that, and with good tables L2
 * lives on. Until 6.7 an entry with a root in no memslot is a triple fault for which
 * KVM WARNs, as the entry is not over (0e3223d8d00a is the fix); before 5.13 that
 * triple fault was not L1's, but all of the VM's.
 */
KVM_TEST(nested_tables_without_memory)
{
	const bool may_enter = kernel_at_least(6, 7) || kvm_test_option("known_bugs", 0);
	const gpa_t gpa = NESTED_GPA + 16 * SZ_1M;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	__TEST_REQUIRE(kernel_at_least(5, 13) || kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: a root of L1's in no memslot ends the VM; --set known_bugs=1 makes it a failure");
	cpu = create(&n, true);
	nested_map(&n, 0, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	for (i = 0; i < 6; i++) {
		vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, gpa, 2, 1, 0);
		memcpy(addr_gpa2hva(n.vm, gpa), addr_gpa2hva(n.vm, n.root), PAGE_SIZE);
		l1_set_root(cpu, gpa);
		l2_read(cpu, 0, WORD(0));
		if (may_enter && i % 2)
			nested_run(cpu, "a root in a slot of its own");
		else
			nested_run_in_l2(cpu, "a root in a slot of its own");
		vm_mem_region_delete(n.vm, 2);
		nested_order(cpu, L2_READ, NESTED_L2_GVA, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_ANY));
		nested_run(cpu, "a root in no slot");
		l1_set_root(cpu, n.root);
		l2_read(cpu, 0, WORD(0));
		edit(cpu, SZ_2M, PG_LEVEL_2M, nested_link(&n, gpa));
		nested_order(cpu, L2_READ, NESTED_L2_GVA + SZ_2M, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_ANY));
		l2_read(cpu, 0, WORD(0));
		nested_run(cpu, "a good root again, and a table in no slot");
	}
	nested_free(&n);
}

KVM_TEST_MAIN()
