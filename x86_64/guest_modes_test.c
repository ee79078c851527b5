// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest goes between no paging, 32-bit paging, PAE and long mode, with mappings
 * alive in each, and edits the tables of the mode it is in and of the others. In
 * every mode an address leads where that mode's tables lead: to RAM, to a gap, or
 * to a #PF; by 4K pages and by large ones, and when the memslot is gone.
 *
 * What breaks this: shadow pages used for another mode than they were made for;
 * tables of 4-byte entries, which are shadowed by two or four tables with larger
 * entries; the four entries of PAE that the CPU loads together with CR3; halves of
 * an 8-byte entry; large pages over their own tables.
 */
#include "guest_modes.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(guest_modes_test,
	.fixes = FIXES("6b123c3a89a9 KVM: x86/mmu: Reconstruct shadow page root if the guest PDPTEs is changed",
		"427890aff855 kvm: x86: Toggling CR4.SMAP does not load PDPTEs in PAE mode",
		"16cfacc80857 KVM: x86: Manually calculate reserved bits when loading PDPTRS",
		"6e0918aec49a KVM: x86/mmu: Check PDPTRs before allocating PAE roots",
		"b8453cdcf260 KVM: x86/mmu: include EFER.LMA in extended mmu role"));

#define RW	(PTE_PRESENT_MASK | PTE_WRITABLE_MASK)

FIXTURE_VARIANT(mode) {
	enum cpu_mode mode;
};
KVM_FIXTURE(mode)

FIXTURE_VARIANT_ADD(mode, nonpaged) { .mode = MODE_NONPAGED };
FIXTURE_VARIANT_ADD(mode, 32bit) { .mode = MODE_32BIT };
FIXTURE_VARIANT_ADD(mode, pae) { .mode = MODE_PAE };
FIXTURE_VARIANT_ADD(mode, long) { .mode = MODE_LONG };
FIXTURE_VARIANT_ADD(mode, la57) { .mode = MODE_LA57 };

/* ---- edits: drawn at random, of any mode's tables ---- */

static uint64_t random_leaf(bool wide)
{
	static const uint64_t rights[] = {
		0, RW, RW, RW, PTE_PRESENT_MASK, RW | PTE_DIRTY_MASK | PTE_ACCESSED_MASK,
	};
	uint64_t e = rights[test_random() % ARRAY_SIZE(rights)];

	if (wide && test_random() % 4 == 0)
		e |= PTE_NX_MASK;
	if (test_random() % 16 == 0)
		return e | MODES_GAP_GPA | (test_random() % 8 << PAGE_SHIFT);
	/* Few, so that a wrong entry often leads to the right page. */
	return e | (MODES_DATA_GPA + test_random() % 12 * PAGE_SIZE);
}

static void edit_32bit_leaf(struct modes *m)
{
	uint32_t addr = modes_window(test_random() % MODES_WINDOW_PAGES);

	modes_write_entry32(m, m->pt32[test_random() % 2] + (addr >> 12 & 1023) * 4,
			    random_leaf(false));
}

static void edit_32bit_upper(struct modes *m)
{
	uint32_t addr = test_random() % 2 ? MODES_WINDOW : MODES_LARGE;
	gpa_t at = m->root[MODE_32BIT] + (addr >> 22) * 4;
	uint32_t rights = test_random() % 4 ? RW : PTE_PRESENT_MASK;

	if (addr == MODES_LARGE)
		modes_write_entry32(m, at, MODES_GPA | rights | PTE_LARGE_MASK);
	else
		modes_write_entry32(m, at, m->pt32[test_random() % 2] |
				    (test_random() % 8 ? rights : 0));
}

static void edit_64bit_leaf(struct modes *m)
{
	uint32_t addr = modes_window(test_random() % MODES_WINDOW_PAGES);
	gpa_t pt = m->pt[test_random() % 2][test_random() % 2];

	modes_write_entry64(m, pt + (addr >> 12 & 511) * 8, random_leaf(true),
			    test_random() % 2);
}

static void edit_64bit_upper(struct modes *m)
{
	uint32_t addr = modes_window(test_random() % MODES_WINDOW_PAGES);
	unsigned int half = addr >> 21 & 1;
	uint64_t rights = test_random() % 4 ? RW : PTE_PRESENT_MASK;

	modes_write_entry64(m, m->pd[test_random() % 2] + (addr >> 21 & 511) * 8,
			    m->pt[test_random() % 2][half] |
			    (test_random() % 8 ? rights : 0), test_random() % 2);
}

/* Loaded when CR3 is written. */
static void edit_pdpte(struct modes *m)
{
	modes_write_entry64(m, m->root[MODE_PAE] + (MODES_WINDOW >> 30) * 8,
			    m->pd[test_random() % 2] | PTE_PRESENT_MASK,
			    test_random() % 2);
}

static void edit_something(struct modes *m)
{
	static void (*const edits[])(struct modes *m) = {
		edit_32bit_leaf, edit_32bit_leaf, edit_32bit_upper,
		edit_64bit_leaf, edit_64bit_leaf, edit_64bit_upper, edit_pdpte,
	};

	edits[test_random() % ARRAY_SIZE(edits)](m);
}

static bool has_invpcid(void)
{
	const struct kvm_cpuid_entry2 *e = get_cpuid_entry(kvm_get_supported_cpuid(), 7, 0);

	return e && e->ebx & BIT(10);
}

static void flush_somehow(struct modes *m)
{
	uint32_t invpcid;
	unsigned int i;

	/*
	 * An entry of the PDPT counts from the next CR3 write on. Without paging there is
	 * nothing to flush, and INVLPG does that.
	 */
	if (m->mode != MODE_NONPAGED && (m->mode == MODE_PAE || test_random() % 2)) {
		modes_flush(m);
		return;
	}
	invpcid = has_invpcid() && test_random() % 2;
	for (i = 0; i < MODES_WINDOW_PAGES; i++)
		modes_add(m, MODES_INVLPG, modes_window(i), invpcid);
	/* One of its addresses is enough, but 4M may be cached as 2M pages. */
	for (i = 0; i < 4; i++)
		modes_add(m, MODES_INVLPG, MODES_LARGE + i / 2 * SZ_2M + i % 2 * 37 * PAGE_SIZE,
			  invpcid);
}

/* ---- cases ---- */

static void require_mode(enum cpu_mode mode)
{
	if (mode == MODE_LA57)
		require_la57();
	__TEST_REQUIRE(cpu_mode_possible(mode),
		       "needs another host than QEMU's TCG, or kvm_amd.npt=0");
}

static enum cpu_mode random_mode(void)
{
	enum cpu_mode mode;

	do {
		mode = test_random() % NR_CPU_MODES;
	} while (!cpu_mode_possible(mode));
	return mode;
}

static void edit_and_check(struct modes *m, unsigned int round)
{
	unsigned int i;

	for (i = 1 + test_random() % 6; i; i--)
		edit_something(m);
	flush_somehow(m);
	modes_run(m, "round %u, edits", round);
	modes_check(m, "round %u, after edits and a flush", round);
}

KVM_TEST_F(mode, edits_in_one_mode)
{
	struct modes m;
	unsigned int i;

	require_mode(variant->mode);
	modes_create(&m);
	breadcrumb("enter %s and edit page tables", cpu_mode_name(variant->mode));
	modes_switch(&m, variant->mode);
	modes_run(&m, "enter %s", cpu_mode_name(variant->mode));
	modes_check(&m, "as it was at first");
	for (i = 0; i < 40; i++)
		edit_and_check(&m, i);
	modes_free(&m);
}

/*
 * The directory is also a page table, its own: what it leads to can be read and written
 * by way of it. A store to it changes both, and KVM knows where in each: an entry of 4
 * bytes is not where that of 8 is, and in one of two halves.
 */
#define SELF		0xfc000000U
#define SELF_PAGE(i)	(SELF + (i) * PAGE_SIZE)
#define MARK_ENTRY	1000U	/* of a page table; not present */

static void lead_to(struct modes *m, uint32_t pde, unsigned int table, bool by_itself)
{
	const uint32_t value = m->pt32[table] | RW;

	if (by_itself)
		modes_add(m, MODES_WRITE, SELF_PAGE(SELF >> 22) + pde * 4, value);
	else
		modes_write_entry32(m, m->root[MODE_32BIT] + pde * 4, value);
}

KVM_TEST(directory_is_its_own_page_table)
{
	static const uint32_t pdes[] = { 100, MODES_WINDOW >> 22 };
	const struct modes_step *s;
	unsigned int round, table;
	uint32_t pde, want;
	struct modes m;

	modes_create(&m);
	for (table = 0; table < 2; table++)
		*modes_word32(&m, m.pt32[table] + MARK_ENTRY * 4) = (table + 1) << 12;
	*modes_word32(&m, m.root[MODE_32BIT] + (SELF >> 22) * 4) = m.root[MODE_32BIT] | RW;
	modes_switch(&m, MODE_32BIT);
	modes_run(&m, "enter 32-bit mode");
	for (round = 0; round < 32; round++) {
		pde = pdes[round / 2 % 2];
		table = round / 4 % 2 ^ round % 2;
		lead_to(&m, pde, table, round / 8 % 2);
		if (round / 16)
			modes_flush(&m);
		else
			modes_add(&m, MODES_INVLPG, SELF_PAGE(pde), 0);
		s = modes_add(&m, MODES_READ, SELF_PAGE(pde) + MARK_ENTRY * 4, 0);
		modes_run(&m, "round %u: entry %u of the directory leads to table %u", round, pde,
			  table);
		want = (table + 1) << 12;
		TEST_ASSERT(s->got == want,
			    "entry %u of the directory, which is a page table, too, leads to the page with 0x%x; the guest reads 0x%x there",
			    pde, want, s->got);
	}
	modes_free(&m);
}

KVM_TEST(switches_between_modes)
{
	unsigned int round, i;
	struct modes m;

	modes_create(&m);
	breadcrumb("switch between paging modes and edit their tables");
	for (round = 0; round < 80; round++) {
		for (i = test_random() % 6; i; i--)
			edit_something(&m);
		modes_switch(&m, random_mode());
		modes_run(&m, "round %u", round);
		modes_check(&m, "round %u, after a switch", round);
		if (round % 2)
			edit_and_check(&m, round);
	}
	modes_free(&m);
}

/* ---- entries that were not present need no flush ---- */

FIXTURE_VARIANT(paged) {
	enum cpu_mode mode;
};
KVM_FIXTURE(paged)

FIXTURE_VARIANT_ADD(paged, 32bit) { .mode = MODE_32BIT };
FIXTURE_VARIANT_ADD(paged, pae) { .mode = MODE_PAE };
FIXTURE_VARIANT_ADD(paged, long) { .mode = MODE_LONG };
FIXTURE_VARIANT_ADD(paged, la57) { .mode = MODE_LA57 };

KVM_TEST_F(paged, new_entries_need_no_flush)
{
	unsigned int round, i;
	struct modes m;

	require_mode(variant->mode);
	modes_create(&m);
	modes_switch(&m, variant->mode);
	for (round = 0; round < 6; round++) {
		breadcrumb("round %u: new entries in %s", round, cpu_mode_name(variant->mode));
		for (i = 0; i < MODES_WINDOW_PAGES; i++) {
			uint32_t addr = modes_window(i);

			modes_write_entry32(&m, m.pt32[0] + (addr >> 12 & 1023) * 4, 0);
			modes_write_entry64(&m, m.pt[0][addr >> 21 & 1] + (addr >> 12 & 511) * 8,
					    0, true);
		}
		modes_flush(&m);
		modes_run(&m, "round %u, entries cleared", round);
		modes_check(&m, "round %u, no entry is present", round);
		for (i = 0; i < MODES_WINDOW_PAGES; i++) {
			uint32_t addr = modes_window(i);
			uint64_t e = random_leaf(false);

			modes_write_entry32(&m, m.pt32[0] + (addr >> 12 & 1023) * 4, e);
			modes_write_entry64(&m, m.pt[0][addr >> 21 & 1] + (addr >> 12 & 511) * 8,
					    e, i % 2);
		}
		modes_run(&m, "round %u, new entries", round);
		modes_check(&m, "round %u, with new entries", round);
	}
	modes_free(&m);
}

/* ---- PDPTEs, which the CPU has a copy of ---- */

FIXTURE_VARIANT(cr4) {
	uint32_t bit;
	bool loads;		/* SDM vol. 3 section 4.4.1 */
};
KVM_FIXTURE(cr4)

FIXTURE_VARIANT_ADD(cr4, pge) { .bit = X86_CR4_PGE, .loads = true };
FIXTURE_VARIANT_ADD(cr4, pse) { .bit = X86_CR4_PSE, .loads = true };
FIXTURE_VARIANT_ADD(cr4, smep) { .bit = X86_CR4_SMEP, .loads = true };
FIXTURE_VARIANT_ADD(cr4, smap) { .bit = X86_CR4_SMAP };
FIXTURE_VARIANT_ADD(cr4, osfxsr) { .bit = X86_CR4_OSFXSR };

static bool guest_has_cr4(uint32_t bit)
{
	const struct kvm_cpuid_entry2 *e = get_cpuid_entry(kvm_get_supported_cpuid(), 7, 0);

	return (bit != X86_CR4_SMEP || (e && e->ebx & BIT(7))) &&
	       (bit != X86_CR4_SMAP || (e && e->ebx & BIT(20)));
}

static void require_loaded_pdptes(void)
{
	__TEST_REQUIRE(!host_is_amd() || !kvm_is_tdp_enabled(),
		       "needs kvm_amd.npt=0: with nested paging, AMD's CPUs have no copy of the PDPTEs");
}

KVM_TEST_F(cr4, toggled_loads_pdptes_or_does_not)
{
	struct modes m;
	unsigned int i;

	require_loaded_pdptes();
	__TEST_REQUIRE(guest_has_cr4(variant->bit), "needs CR4 bit 0x%x in the guest's CPUID",
		       variant->bit);
	modes_create(&m);
	modes_switch(&m, MODE_PAE);
	modes_run(&m, "enter PAE");
	for (i = 1; i < 6; i++) {
		breadcrumb("edit a PDPTE and toggle CR4 bit 0x%x", variant->bit);
		modes_check(&m, "round %u, before", i);
		modes_write_entry64(&m, m.root[MODE_PAE] + (MODES_WINDOW >> 30) * 8,
				    m.pd[i % 2] | PTE_PRESENT_MASK, i % 2);
		modes_toggle_cr4(&m, variant->bit);
		modes_run(&m, "round %u, a PDPTE is edited, CR4 bit 0x%x toggled", i,
			  variant->bit);
		if (variant->loads)
			modes_load_pdptes(&m);
		modes_check(&m, "round %u, after CR4 bit 0x%x, which does%s load PDPTEs", i,
			    variant->bit, variant->loads ? "" : " not");
		modes_flush(&m);
		modes_run(&m, "round %u, CR3 write", i);
		modes_check(&m, "round %u, after a CR3 write", i);
	}
	modes_free(&m);
}

/* As it is after a migration: the PDPTEs are those in memory by then. */
KVM_TEST(user_space_loads_pdptes)
{
	struct kvm_sregs sregs;
	struct modes m;
	unsigned int i;

	require_loaded_pdptes();
	modes_create(&m);
	modes_switch(&m, MODE_PAE);
	modes_run(&m, "enter PAE");
	for (i = 1; i < 6; i++) {
		breadcrumb("edit a PDPTE and have user space set the registers");
		modes_check(&m, "round %u, before", i);
		modes_write_entry64(&m, m.root[MODE_PAE] + (MODES_WINDOW >> 30) * 8,
				    m.pd[i % 2] | PTE_PRESENT_MASK, i % 2);
		modes_run(&m, "round %u, a PDPTE is edited", i);
		vcpu_sregs_get(m.vcpu, &sregs);
		vcpu_sregs_set(m.vcpu, &sregs);
		modes_load_pdptes(&m);
		modes_check(&m, "round %u, after KVM_SET_SREGS", i);
	}
	modes_free(&m);
}

/* And KVM_SET_SREGS2 brings them along, whatever is in memory. */
KVM_TEST(user_space_sets_pdptes, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_SREGS2)))
{
	const unsigned int window = MODES_WINDOW >> 30;
	struct kvm_sregs2 sregs;
	struct modes m;
	unsigned int i;

	require_loaded_pdptes();
	modes_create(&m);
	modes_switch(&m, MODE_PAE);
	modes_run(&m, "enter PAE");
	for (i = 1; i < 6; i++) {
		breadcrumb("set PDPTEs by KVM_SET_SREGS2");
		modes_check(&m, "round %u, before", i);
		vcpu_ioctl(m.vcpu, KVM_GET_SREGS2, &sregs);
		TEST_ASSERT(sregs.flags & KVM_SREGS2_FLAGS_PDPTRS_VALID &&
			    !memcmp(sregs.pdptrs, m.pdptes, sizeof(m.pdptes)),
			    "KVM_GET_SREGS2: flags 0x%llx, PDPTE %u is 0x%llx, want 0x%lx",
			    sregs.flags, window, sregs.pdptrs[window], m.pdptes[window]);
		sregs.pdptrs[window] = m.pd[i % 2] | PTE_PRESENT_MASK;
		vcpu_ioctl(m.vcpu, KVM_SET_SREGS2, &sregs);
		memcpy(m.pdptes, sregs.pdptrs, sizeof(m.pdptes));
		modes_check(&m, "round %u, after KVM_SET_SREGS2", i);
		if (i % 2)
			continue;
		modes_flush(&m);
		modes_run(&m, "round %u, CR3 write", i);
		modes_check(&m, "round %u, after a CR3 write, as in memory", i);
	}
	modes_free(&m);
}

/* SDM vol. 3 table 4-8; what is not present has no reserved bits. */
KVM_TEST(reserved_bits_of_pdptes)
{
	uint64_t *pdpte, good, bad;
	struct modes m;
	unsigned int i;

	require_loaded_pdptes();
	modes_create(&m);
	modes_switch(&m, MODE_PAE);
	modes_run(&m, "enter PAE");
	pdpte = addr_gpa2hva(m.vm, m.root[MODE_PAE] + (MODES_WINDOW >> 30) * 8);
	good = *pdpte;
	for (i = 1; i < 64; i++) {
		if (i == 3 || i == 4 || (i > 8 && i < m.vm->pa_bits))
			continue;
		bad = good | BIT_ULL(i);
		test_step("PDPTE 0x%lx, bit %u", bad, i);
		*pdpte = bad;
		TEST_ASSERT(!modes_try_flush(&m), "a CR3 write loads a PDPTE with the reserved bit %u set", i);
		*pdpte = good;
		modes_check(&m, "the PDPTE with bit %u was not loaded", i);
		*pdpte = bad & ~PTE_PRESENT_MASK;
		TEST_ASSERT(modes_try_flush(&m), "a CR3 write does not load a PDPTE that is not present, with bit %u set", i);
		modes_check(&m, "the PDPTE with bit %u is not present", i);
		*pdpte = good;
		TEST_ASSERT(modes_try_flush(&m), "a CR3 write does not load good PDPTEs");
	}
	modes_check(&m, "as at first");
	modes_free(&m);
}

/*
 * One that leads to no memslot is the end of the guest as soon as it is loaded, or only
 * once it is used. The VM and the host go on.
 */
KVM_TEST(pdpte_that_leads_nowhere)
{
	static const gpa_t nowhere[] = { MODES_GAP_GPA, 0, 0xfffff000 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct modes m;
	unsigned int i;
	uint64_t *pdpte, good;

	__TEST_REQUIRE(kvm_is_tdp_enabled() || kernel_at_least(5, 13) ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: roots that were made before the bad PDPTE are leaked; --set known_bugs=1 makes it a failure");
	modes_create(&m);
	modes_switch(&m, MODE_PAE);
	modes_run(&m, "enter PAE");
	/* The code does without what it maps. */
	pdpte = addr_gpa2hva(m.vm, m.root[MODE_PAE] + (MODES_WINDOW >> 30) * 8);
	good = *pdpte;
	for (i = 0; i < ARRAY_SIZE(nowhere); i++) {
		modes_check(&m, "round %u, before", i);
		vcpu_run_complete_io(m.vcpu);
		vcpu_sregs_get(m.vcpu, &sregs);
		vcpu_regs_get(m.vcpu, &regs);
		breadcrumb("a PDPTE that leads to gpa 0x%lx", nowhere[i]);
		*pdpte = nowhere[i] | PTE_PRESENT_MASK;
		modes_flush(&m);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, !_vcpu_run(m.vcpu),
				   "KVM_RUN with a PDPTE that leads to gpa 0x%lx: %s",
				   nowhere[i], strerror(errno));
		if (m.vcpu->run->exit_reason != KVM_EXIT_SHUTDOWN &&
		    m.vcpu->run->exit_reason != KVM_EXIT_IO)
			vcpu_unexpected_exit(m.vcpu, "KVM_EXIT_SHUTDOWN, or the end of the steps");
		*pdpte = good;
		m.box->nr = 0;
		vcpu_sregs_set(m.vcpu, &sregs);
		vcpu_regs_set(m.vcpu, &regs);
		modes_flush(&m);
		modes_run(&m, "round %u, repaired", i);
		modes_check(&m, "round %u, repaired", i);
	}
	modes_free(&m);
}

/* ---- large pages of 32-bit mode ---- */

/* Where a PDE of a large page leads when it is none: to a table below the large page. */
KVM_TEST(pse_makes_large_pages)
{
	/* modes_check() reads these. */
	const unsigned int first = (MODES_DATA_GPA - MODES_GPA) / PAGE_SIZE;
	static const unsigned int pages[] = { 0, 37 };
	struct modes m;
	unsigned int i;

	modes_create(&m);
	modes_map_code_small(&m);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		*(uint32_t *)addr_gpa2hva(m.vm, MODES_GPA + (first + pages[i]) * 4) =
			(MODES_DATA_GPA + (200 + i) * PAGE_SIZE) | RW;
	/* No table in a gap. */
	*(uint32_t *)addr_gpa2hva(m.vm, m.root[MODE_32BIT] + (MODES_GAP >> 22) * 4) = 0;
	modes_switch(&m, MODE_32BIT);
	modes_run(&m, "enter 32-bit paging");
	for (i = 0; i < 6; i++) {
		breadcrumb("round %u: CR4.PSE %s", i, i % 2 ? "on" : "off");
		modes_check(&m, "round %u, before", i);
		modes_set_pse(&m, i % 2);
		/* Shadow paging looks at an entry again when it is written, and not before. */
		modes_write_entry32(&m, m.root[MODE_32BIT] + (MODES_LARGE >> 22) * 4,
				    MODES_GPA | RW | PTE_LARGE_MASK);
		modes_run(&m, "round %u, CR4.PSE", i);
		modes_check(&m, "round %u, CR4.PSE was toggled", i);
	}
	modes_free(&m);
}

/* PSE-36: bits 13 to 20 of a PDE are bits 32 to 39 of the gpa. */
KVM_TEST(large_page_above_4g)
{
	const gpa_t high = SZ_4G + MODES_DATA_GPA;
	struct modes m;
	unsigned int i;

	modes_create(&m);
	vm_userspace_mem_region_add(m.vm, VM_MEM_SRC_ANONYMOUS_THP, high, MODES_DATA_SLOT + 1,
				    MODES_DATA_PAGES, 0);
	for (i = 0; i < MODES_DATA_PAGES; i++)
		modes_fill_page(&m, high + i * PAGE_SIZE, 0x1000 + i);
	modes_switch(&m, MODE_32BIT);
	modes_run(&m, "enter 32-bit paging");
	for (i = 0; i < 6; i++) {
		breadcrumb("round %u: a large page %s 4G", i, i % 2 ? "below" : "above");
		modes_write_entry32(&m, m.root[MODE_32BIT] + (MODES_LARGE >> 22) * 4,
				    MODES_GPA | (i % 2 ? 0 : BIT(13)) | RW | PTE_LARGE_MASK);
		modes_flush(&m);
		modes_run(&m, "round %u, the large page", i);
		modes_check(&m, "round %u, the large page is %s 4G", i, i % 2 ? "below" : "above");
	}
	modes_free(&m);
}

/* ---- large pages of the host ---- */

#define HUGE_GPA	0x40000000UL
#define HUGE_SLOT	(MODES_DATA_SLOT + 1)

/* Without paging the guest's memory may be in 1G pages, which its mode does not have. */
KVM_TEST(without_paging_in_1g_pages, .huge_1g = 1)
{
	struct modes_step *s[8];
	struct modes m;
	unsigned int i;
	uint32_t *word;

	modes_create(&m);
	vm_userspace_mem_region_add(m.vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, HUGE_GPA, HUGE_SLOT,
				    SZ_1G / PAGE_SIZE, 0);
	breadcrumb("memory in a 1G page, without paging");
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		const uint32_t gpa = HUGE_GPA + i * (SZ_1G / ARRAY_SIZE(s)) + i * 0x1234560;

		word = addr_gpa2hva(m.vm, gpa);
		word[0] = 0x5000 + i;
		s[i] = modes_add(&m, MODES_READ, gpa, 0);
		modes_add(&m, MODES_WRITE, gpa + 4, 0x6000 + i);
	}
	modes_run(&m, "memory in a 1G page");
	for (i = 0; i < ARRAY_SIZE(s); i++) {
		word = addr_gpa2hva(m.vm, HUGE_GPA + i * (SZ_1G / ARRAY_SIZE(s)) + i * 0x1234560);
		TEST_ASSERT(s[i]->got == 0x5000 + i && word[1] == 0x6000 + i,
			    "gpa 0x%x: the guest read 0x%x, want 0x%x, and wrote 0x%x, the host has 0x%x",
			    s[i]->addr, s[i]->got, 0x5000 + i, 0x6000 + i, word[1]);
	}
	modes_free(&m);
}

/* ---- the end of 32 bits ---- */

/* What begins below 4G and ends above goes on at 0: KVM's emulator must know that, too. */
KVM_TEST(gap_accesses_wrap_at_4g)
{
	const uint32_t at = UINT32_MAX - 1, offset = at - MODES_FS_BASE;
	struct modes_step *s;
	struct modes m;
	unsigned int i;

	modes_create(&m);
	for (i = 0; i < 4; i++) {
		test_step("round %u: 4 bytes at 0x%x and 0", i, at);
		s = modes_add(&m, i % 2 ? MODES_WRITE_FS : MODES_READ_FS, offset, 0x44332211 + i);
		if (i % 2) {
			vcpu_expect_mmio_write(m.vcpu, at, 2, s->value & 0xffff);
			vcpu_expect_mmio_write(m.vcpu, 0, 2, s->value >> 16);
		} else {
			vcpu_expect_mmio_read(m.vcpu, at, 2, 0x1100 + i);
			vcpu_expect_mmio_read(m.vcpu, 0, 2, 0x2200 + i);
		}
		modes_run(&m, "round %u", i);
		TEST_ASSERT(i % 2 || s->got == ((0x2200U + i) << 16 | (0x1100 + i)),
			    "read 0x%x from the last 2 bytes below 4G, then the first 2: want 0x%x",
			    s->got, (0x2200U + i) << 16 | (0x1100 + i));
	}
	modes_free(&m);
}

/* ---- no memslot behind them ---- */

KVM_TEST(slot_deleted_in_each_mode)
{
	unsigned int round;
	struct modes m;

	modes_create(&m);
	for (round = 0; round < 3 * NR_CPU_MODES; round++) {
		enum cpu_mode mode = round % NR_CPU_MODES;
		enum cpu_mode next = (mode + 1 + round / NR_CPU_MODES) % NR_CPU_MODES;

		if (!cpu_mode_possible(mode) || !cpu_mode_possible(next))
			continue;
		modes_switch(&m, mode);
		modes_run(&m, "round %u", round);
		modes_check(&m, "round %u, before the slot goes", round);
		breadcrumb("delete the data's slot in %s", cpu_mode_name(mode));
		modes_set_data_slot(&m, false);
		modes_check(&m, "round %u, the data's slot is gone", round);
		/* And in another mode, whose mappings were made before. */
		modes_switch(&m, next);
		modes_run(&m, "round %u", round);
		modes_check(&m, "round %u, still gone", round);
		breadcrumb("add the data's slot in %s", cpu_mode_name(m.mode));
		modes_set_data_slot(&m, true);
		modes_check(&m, "round %u, the data's slot is back", round);
	}
	modes_free(&m);
}

KVM_TEST_MAIN()
