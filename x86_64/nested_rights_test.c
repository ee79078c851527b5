// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rights that L1's tables give to L2, and the bits that must be 0 in them, in
 * entries of each level: an access against these is a fault that L1 gets, or L2 without
 * nested paging, with the right address and error code.
 *
 * What breaks this: roles and reserved bits of the nested MMU by the registers of L2, or
 * by those of L1 where these do not count; access bits that get lost in a shadow page
 * that is shared or split; an error code of the host's own fault.
 */
#include <string.h>

#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_rights_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("929d1cfaa692 KVM: MMU: pass arbitrary CR0/CR4/EFER to kvm_init_shadow_mmu"));

#define PAGE_OFF(i)	((i) * PAGE_SIZE)
#define WORD(i)		NESTED_WORD(i)
#define CODE		PATTERN_CODE_OFFSET

NESTED_VARIANTS(l2)

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
			l1_edit(cpu, PAGE_OFF(3), level, weaker(n, entry, rights[i]));
			try_rights(cpu, PAGE_OFF(3), 3, rights[i]);
		}
		l1_edit(cpu, PAGE_OFF(3), level, entry);
		try_rights(cpu, PAGE_OFF(3), 3, NESTED_RWX);
		try_rights(cpu, PAGE_OFF(4), 4, NESTED_RWX);
		nested_run(cpu, "rights of level %d, leaf of level %d", level, leaf_level);
	}
}

KVM_TEST_F(l2, has_the_rights_of_all_levels)
{
	struct nested_cpu *cpu;
	struct nested n;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	rights_at_each_level(cpu, PG_LEVEL_4K);
	*nested_entry(&n, 0, PG_LEVEL_2M) = 0;
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_2M, NESTED_RWX);
	rights_at_each_level(cpu, PG_LEVEL_2M);
	nested_free(&n);
}

/* ---- large leaves that KVM splits ---- */

#define BIG_GPA		(NESTED_GPA + 64 * SZ_1M)
#define BIG_SLOT	2
#define BIG_PATTERN	((struct pattern){ .round = 1, .slot = BIG_SLOT })
/* Of the window, where each of L1's leaves is. */
#define BIG_OFF(i)	((4UL + (i)) * SZ_2M)

static const unsigned int big_rights[] = {
	NESTED_R, NESTED_RW, NESTED_R | NESTED_X, NESTED_RWX,
};

/* Those with fewer rights first, and pages of which none has been used. */
static void try_big(struct nested_cpu *cpu, unsigned int page, const char *what)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(big_rights); i++) {
		uint64_t off = BIG_OFF(i) + (page + 3 * i) * PAGE_SIZE;
		uint64_t word = pattern_word(BIG_PATTERN, page + 3 * i, 0);

		if (!(big_rights[i] & NESTED_X))
			l2_fault(cpu, L2_EXEC, off + CODE, PFERR_FETCH_MASK |
				 PFERR_PRESENT_MASK);
		l2_read(cpu, off, word);
		if (!(big_rights[i] & NESTED_X))
			l2_fault(cpu, L2_EXEC, off + CODE, PFERR_FETCH_MASK |
				 PFERR_PRESENT_MASK);
		if (!(big_rights[i] & NESTED_W))
			l2_fault(cpu, L2_WRITE, off + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
	}
	for (i = 0; i < ARRAY_SIZE(big_rights); i++) {
		uint64_t off = BIG_OFF(i) + (page + 3 * i) * PAGE_SIZE;

		if (big_rights[i] & NESTED_W)
			l2_write(cpu, off + 8, page);
		if (big_rights[i] & NESTED_X)
			l2_exec(cpu, off + CODE);
	}
	nested_run(cpu, "%s", what);
}

/* They are of one page, and of each combination of rights. */
KVM_TEST_F(l2, has_the_rights_of_large_leaves_that_are_split)
{
	/* Where what is executed is not split. */
	const bool stay_large = !kvm_get_module_param_bool("kvm", "nx_huge_pages");
	int64_t large = 0, now = 0;
	struct nested_cpu *cpu;
	unsigned int i, round;
	struct nested n;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS_THP, BIG_GPA, BIG_SLOT,
				    SZ_2M / PAGE_SIZE, 0);
	pattern_fill(addr_gpa2hva(n.vm, BIG_GPA), SZ_2M, BIG_PATTERN);
	for (i = 0; i < ARRAY_SIZE(big_rights); i++)
		nested_map(&n, BIG_OFF(i), BIG_GPA, SZ_2M, PG_LEVEL_2M, big_rights[i]);
	for (round = 0; round < 4; round++) {
		/* Large, if only for reading, and again where they were before. */
		for (i = 0; i < ARRAY_SIZE(big_rights); i++)
			l2_read(cpu, BIG_OFF(i), pattern_word(BIG_PATTERN, 0, 0));
		nested_run(cpu, "round %u, large leaves", round);
		vm_read_stat(n.vm, "pages_2m", &now);
		TEST_ASSERT_ORACLE(ORACLE_STATS, !round || !stay_large || now == large,
				   "L1's large leaves were logged, %u times, and are not any more; L2 has used all of them: pages_2m is %ld, and was %ld before",
				   round, now, large);
		large = now;
		breadcrumb("dirty logging of what L1 maps large, round %u", round);
		vm_mem_region_set_flags(n.vm, BIG_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		try_big(cpu, 100 * round + 20, "large leaves are split");
		try_big(cpu, 100 * round + 40, "other pages of them");
		vm_mem_region_set_flags(n.vm, BIG_SLOT, 0);
		try_big(cpu, 100 * round + 60, "they may be large again");
	}
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
		cpu = nested_create_with_ram(&n, 1, true);
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

/* L1 and L2 have one CR3, and CR0.WP by itself says whose rights are the stricter ones. */
KVM_TEST(one_cr3_with_and_without_wp)
{
	struct kvm_sregs sregs;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, false);
	nested_map(&n, 0, NESTED_GPA, 8 * PAGE_SIZE, PG_LEVEL_4K, NESTED_R);
	vcpu_sregs_get(cpu->vcpu, &sregs);
	sregs.cr3 = n.root;
	vcpu_sregs_set(cpu->vcpu, &sregs);
	cpu->box->l2_cr0_clear = X86_CR0_WP;
	breadcrumb("L1 has CR0.WP, and L2 has not");
	for (i = 0; i < 16; i++) {
		uint64_t off = PAGE_OFF(i % 4) + 8;

		nested_order(cpu, L1_WRITE, NESTED_L2_GVA + off, i,
			     NESTED_WANT(FAULT, PFERR_WRITE_MASK | PFERR_PRESENT_MASK));
		l2_read(cpu, PAGE_OFF(i % 4), WORD(i % 4));
		l2_write(cpu, off, i);
		nested_order(cpu, L1_READ, NESTED_L2_GVA + off, 0, NESTED_WANT(DATA, i));
		nested_run(cpu, "page %u, which is read-only", i % 4);
	}
	nested_free(&n);
}

/* Bits that must be 0: here in an entry that leads to RAM. */
static void expect_reserved(struct nested_cpu *cpu, int level, uint64_t bits)
{
	uint64_t entry = *nested_entry(cpu->n, 0, level);
	const uint64_t error = PFERR_RSVD_MASK | PFERR_PRESENT_MASK;

	l2_read(cpu, 0, WORD(0));
	l1_edit(cpu, 0, level, entry | bits);
	if (level > top_level(cpu->n)) {
		/* The first to fault on it is the walk of L2's page tables. */
		nested_order(cpu, L2_READ, NESTED_L2_GVA, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
	} else {
		l2_fault(cpu, L2_READ, 0, error);
		l2_fault(cpu, L2_WRITE, 8, error | PFERR_WRITE_MASK);
	}
	l1_edit(cpu, 0, level, entry);
	l2_read(cpu, 0, WORD(0));
	nested_run(cpu, "reserved bits 0x%lx in an entry of level %d", bits, level);
}

KVM_TEST_F(l2, faults_on_reserved_bits)
{
	struct nested_cpu *cpu;
	struct nested n;
	int level;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
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

/* ---- L2's own tables ---- */

#define TABLE_PAGE	3

/* The directory of L2's window moves into the window, where L1 gives L2 a page for it. */
static void move_directory(struct nested *n)
{
	uint64_t *e = addr_gpa2hva(n->vm, vm_entry_gpa(n->vm, NESTED_L2_GVA, PG_LEVEL_1G));

	memcpy(addr_gpa2hva(n->vm, NESTED_GPA + TABLE_PAGE * PAGE_SIZE),
	       addr_gpa2hva(n->vm, *e & PHYSICAL_PAGE_MASK), PAGE_SIZE);
	*e = (*e & ~PHYSICAL_PAGE_MASK) | (NESTED_L2_GPA + PAGE_OFF(TABLE_PAGE));
}

/*
 * L1 is told whether L2's access was at fault, or the CPU's on its way through L2's page
 * tables, which APM vol. 2 section 15.25.6 says in bits 33 and 32, and EPT in bit 8.
 */
KVM_TEST(fault_on_a_table_of_l2_is_told_from_others)
{
	const uint64_t table = NESTED_L2_GPA + PAGE_OFF(TABLE_PAGE);
	const struct nested_step *s;
	struct nested_cpu *cpu;
	unsigned int i, nr;
	struct nested n;

	cpu = nested_create_with_ram(&n, 1, true);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	move_directory(&n);
	for (i = 0; i < 6; i++) {
		l2_read(cpu, PAGE_OFF(5), WORD(5));
		l1_edit(cpu, PAGE_OFF(5), PG_LEVEL_4K, 0);
		l2_fault(cpu, L2_READ, PAGE_OFF(5), 0);
		nested_run(cpu, "round %u: a page of L2 is not mapped", i);

		l1_edit(cpu, PAGE_OFF(5), PG_LEVEL_4K, nested_ram_leaf(cpu, 5, NESTED_RWX));
		l1_edit(cpu, PAGE_OFF(TABLE_PAGE), PG_LEVEL_4K, 0);
		nr = cpu->box->nr;
		nested_order(cpu, L2_READ, NESTED_L2_GVA + PAGE_OFF(5), 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_ANY));
		nested_run(cpu, "round %u: a page table of L2 is not mapped", i);
		s = &cpu->box->step[nr];
		TEST_ASSERT(s->exit == L2_EXIT_FAULT && s->in_page_walk &&
			    (!n.amd || !(s->info & NPF_GUEST_FINAL)) &&
			    align_down(s->fault_addr, PAGE_SIZE) == table &&
			    !(s->error_code & PFERR_PRESENT_MASK),
			    "L1 has no page for the table of L2's at 0x%lx: want a nested fault on that, in a page walk, got exit 0x%lx, information 0x%lx, address 0x%lx",
			    table, s->exit_code, s->info, s->fault_addr);
		l1_edit(cpu, PAGE_OFF(TABLE_PAGE), PG_LEVEL_4K,
			nested_ram_leaf(cpu, TABLE_PAGE, NESTED_RWX));
	}
	l2_read(cpu, PAGE_OFF(5), WORD(5));
	nested_run(cpu, "all is mapped again");
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
	cpu = nested_create_with_ram(&n, 1, true);
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
	cpu = nested_create_with_ram(&n, 1, true);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	l2_read(cpu, 0, WORD(0));
	/* Writable, but not readable; memory type 2, or 7. */
	l1_edit(cpu, 0, PG_LEVEL_4K, NESTED_GPA | EPT_WB | EPT_WRITE);
	l2_fault(cpu, L2_READ, 0, PFERR_RSVD_MASK);
	l1_edit(cpu, 0, PG_LEVEL_4K, NESTED_GPA | 2 << 3 | EPT_READ);
	l2_fault(cpu, L2_READ, 0, PFERR_RSVD_MASK);
	l1_edit(cpu, 0, PG_LEVEL_4K, NESTED_GPA | 7 << 3 | EPT_READ | EPT_WRITE);
	l2_fault(cpu, L2_WRITE, 0, PFERR_RSVD_MASK);
	l1_edit(cpu, 0, PG_LEVEL_4K, nested_ram_leaf(cpu, 1, NESTED_R));
	l2_read(cpu, 0, WORD(1));
	nested_run(cpu, "EPT misconfigurations");
	nested_free(&n);
}

KVM_TEST_MAIN()
