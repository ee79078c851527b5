// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VMX CPU does for an L1 beside nested paging, on its own or by KVM: dirty pages
 * that are logged in memory of L1's, EPTPs that L2 switches itself, PDPTEs that are part
 * of L2's state, a TPR in L1's memory.
 *
 * What breaks this: an index that is one off; an EPTP that is not looked at as VM entry
 * would, or that the MMU does not get to know; state of L2 that KVM has and L1's VMCS has
 * not; memory that is written past KVM, and is not in the dirty log.
 */
#include <string.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_vmx_test, .needs = { .mem_mb = 64 });

#define PAGE_GPA(i)	(NESTED_GPA + (i) * PAGE_SIZE)
#define PAGE_OFF(i)	((i) * PAGE_SIZE)
#define WORD(i)		NESTED_WORD(i)

/* A page of L1's that the CPU, or KVM in its place, reads or writes. */
#define SPECIAL_PAGE	900

/* ---- the page-modification log ---- */

#define PML_ENTRIES	512

static uint64_t *special_page(struct nested *n)
{
	return addr_gpa2hva(n->vm, PAGE_GPA(SPECIAL_PAGE));
}

static void expect_pml(struct nested_cpu *cpu, unsigned int index, uint64_t off,
		       const char *what)
{
	uint64_t got = special_page(cpu->n)[index];

	TEST_ASSERT(got == NESTED_L2_GPA + off,
		    "%s: entry %u of the page-modification log is 0x%lx, want 0x%lx", what,
		    index, got, NESTED_L2_GPA + off);
}

static void expect_pml_index(struct nested_cpu *cpu, uint64_t want, const char *what)
{
	uint64_t got = l1_vmread(cpu, GUEST_PML_INDEX);

	TEST_ASSERT(got == want, "%s: the index of the page-modification log is 0x%lx, want 0x%lx",
		    what, got, want);
}

static bool is_special_page_logged(struct nested *n)
{
	uint64_t log[NESTED_RAM_PAGES / 64] = {};

	kvm_vm_get_dirty_log(n->vm, NESTED_SLOT, log);
	return log[SPECIAL_PAGE / 64] & BIT_ULL(SPECIAL_PAGE % 64);
}

/* The log goes down to entry 0; with no entry left, it is L1's turn. */
KVM_TEST(dirty_bits_are_logged_for_l1)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_for_vmx(&n);
	nested_require_ept_ad(&n);
	nested_require_secondary(&n, SECONDARY_EXEC_ENABLE_PML, "a page-modification log");
	/* L2's stack, its page tables, and so on, are dirty from then on. */
	cpu->box->root |= EPTP_AD;
	for (i = 0; i < 3; i++) {
		l2_read(cpu, PAGE_OFF(1 + i), WORD(1 + i));
		l2_write(cpu, PAGE_OFF(11 + i) + 8, i);
	}
	nested_run(cpu, "before there is a log");
	l1_vmwrite(cpu, PML_ADDRESS, PAGE_GPA(SPECIAL_PAGE));
	l1_vmwrite(cpu, GUEST_PML_INDEX, PML_ENTRIES - 1);
	l1_add_controls(cpu, SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_PML);
	vm_mem_region_set_flags(n.vm, NESTED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	memset(special_page(&n), 0xff, PAGE_SIZE);

	l2_read(cpu, PAGE_OFF(4), WORD(4));
	l2_write(cpu, PAGE_OFF(11) + 16, 1);
	nested_run(cpu, "a read, and a write to a page that is dirty");
	expect_pml_index(cpu, PML_ENTRIES - 1, "nothing has become dirty");
	is_special_page_logged(&n);
	for (i = 0; i < 3; i++) {
		l2_write(cpu, PAGE_OFF(1 + i) + 24, i);
		l2_write(cpu, PAGE_OFF(1 + i) + 32, i);
		nested_run(cpu, "write %u", i);
		expect_pml(cpu, PML_ENTRIES - 1 - i, PAGE_OFF(1 + i), "a page becomes dirty");
		expect_pml_index(cpu, PML_ENTRIES - 2 - i, "a page has become dirty");
	}
	TEST_ASSERT(is_special_page_logged(&n),
		    "KVM has written to L1's page-modification log at gpa 0x%lx, which is not in the dirty log",
		    PAGE_GPA(SPECIAL_PAGE));

	l1_vmwrite(cpu, GUEST_PML_INDEX, 0);
	l2_write(cpu, PAGE_OFF(5) + 8, 0);
	nested_run(cpu, "the last entry of the log");
	expect_pml(cpu, 0, PAGE_OFF(5), "the last entry of the log");
	expect_pml_index(cpu, 0xffff, "the log is full");
	for (i = 0; i < 2; i++) {
		nested_order(cpu, L2_WRITE, NESTED_L2_GVA + PAGE_OFF(6) + 8, 1,
			     NESTED_WANT(L2_EXIT, L2_EXIT_OTHER));
		nested_run(cpu, "the log is full");
		TEST_ASSERT_EQ(cpu->box->step[0].exit_code, (uint64_t)EXIT_REASON_PML_FULL);
		TEST_ASSERT(!(*nested_entry(&n, PAGE_OFF(6), PG_LEVEL_4K) & EPT_DIRTY),
			    "a page is dirty in L1's EPT that did not fit into the log");
		expect_pml_index(cpu, 0xffff, "the log is still full");
	}
	l1_vmwrite(cpu, GUEST_PML_INDEX, PML_ENTRIES - 1);
	l2_write(cpu, PAGE_OFF(6) + 8, 2);
	nested_run(cpu, "the log has room again");
	expect_pml(cpu, PML_ENTRIES - 1, PAGE_OFF(6), "the log has room again");
	nested_free(&n);
}

/* ---- VMFUNC ---- */

#define NR_EPTPS	512

static void l2_vmfunc(struct nested_cpu *cpu, uint64_t function, uint64_t index, bool fails)
{
	nested_order(cpu, L2_VMFUNC, function, index,
		     fails ? NESTED_WANT(L2_EXIT, L2_EXIT_OTHER) : NESTED_WANT(DATA, index));
}

static void expect_vmfunc_exit(struct nested_cpu *cpu, unsigned int step, const char *what)
{
	const struct nested_step *s = &cpu->box->step[step];

	TEST_ASSERT(s->exit_code == EXIT_REASON_VMFUNC,
		    "VMFUNC with %s: want exit reason %u, L1 has %lu", what,
		    EXIT_REASON_VMFUNC, s->exit_code);
}

/* L2 switches, without a word to L1, and gets what L1 has written there meanwhile. */
KVM_TEST(l2_switches_its_eptp_by_vmfunc)
{
	uint64_t *list, eptp[2], bits;
	struct nested_cpu *cpu;
	gva_t entry[2];
	gpa_t root;
	struct nested n;
	unsigned int i;

	cpu = nested_create_for_vmx(&n);
	nested_require_secondary(&n, SECONDARY_EXEC_ENABLE_VMFUNC, "VMFUNC");
	__TEST_REQUIRE(nested_vmx_msr(&n, MSR_IA32_VMX_VMFUNC) & VMFUNC_EPTP_SWITCHING,
		       "needs EPTP switching in the guest's VMX");
	entry[0] = n.tables_gva + nested_entry_gpa(&n, 0, PG_LEVEL_4K) - n.tables;
	root = nested_new_root(&n);
	__nested_map(&n, root, 0, PAGE_GPA(100), 16 * PAGE_SIZE, PG_LEVEL_4K, NESTED_R);
	entry[1] = n.tables_gva + (n.nr_tables - 1) * PAGE_SIZE;
	bits = nested_has_ept_ad(&n) ? EPTP_AD : 0;
	eptp[0] = nested_root_value(&n, n.root);
	eptp[1] = nested_root_value(&n, root) | bits;
	list = special_page(&n);
	memset(list, 0, PAGE_SIZE);
	list[0] = eptp[0];
	list[511] = eptp[1];
	list[7] = eptp[1] | BIT(11);
	list[8] = (eptp[1] & ~0x38ULL) | 2 << 3;
	l1_vmwrite(cpu, EPTP_LIST_ADDRESS, PAGE_GPA(SPECIAL_PAGE));
	l1_vmwrite(cpu, VM_FUNCTION_CONTROL, VMFUNC_EPTP_SWITCHING);
	l1_add_controls(cpu, SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_VMFUNC);
	for (i = 0; i < 4; i++) {
		l2_read(cpu, PAGE_OFF(1), WORD(1));
		l2_vmfunc(cpu, 0, 511, false);
		l2_read(cpu, PAGE_OFF(1), WORD(101));
		l2_read(cpu, 0, WORD(i ? 200 + i - 1 : 100));
		l2_vmfunc(cpu, 0, 0, false);
		l2_read(cpu, PAGE_OFF(2), WORD(2));
		l2_write(cpu, PAGE_OFF(2) + 8, i);
		l2_vmfunc(cpu, 0, 511, false);
		l2_fault(cpu, L2_WRITE, PAGE_OFF(2) + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		nested_run(cpu, "round %u: EPTPs by VMFUNC", i);
		if (bits)
			TEST_ASSERT(*(uint64_t *)addr_gva2hva(n.vm, entry[1] + 8) & EPT_ACCESSED,
				    "L2 has read by an EPTP that has A/D bits on, and the entry is not accessed");
		TEST_ASSERT_EQ(l1_vmread(cpu, EPT_POINTER), eptp[1]);

		l1_write(cpu, entry[1], nested_ram_leaf(cpu, 200 + i, NESTED_R));
		l1_invept(cpu, 1, eptp[1], 0);
		nested_run(cpu, "round %u: L1 edits what L2 switches to", i);
	}
	l2_vmfunc(cpu, 0, NR_EPTPS, true);
	nested_run(cpu, "VMFUNC past the end of the list");
	expect_vmfunc_exit(cpu, 0, "index 512");
	l2_vmfunc(cpu, 0, 7, true);
	nested_run(cpu, "VMFUNC to an EPTP with a reserved bit");
	expect_vmfunc_exit(cpu, 0, "an EPTP with a reserved bit");
	l2_vmfunc(cpu, 0, 8, true);
	nested_run(cpu, "VMFUNC to an EPTP of 3 levels");
	expect_vmfunc_exit(cpu, 0, "an EPTP of 3 levels");
	l2_vmfunc(cpu, 1, 0, true);
	nested_run(cpu, "VMFUNC of function 1");
	expect_vmfunc_exit(cpu, 0, "function 1");
	TEST_ASSERT_EQ(l1_vmread(cpu, EPT_POINTER), eptp[0]);
	l2_read(cpu, PAGE_OFF(1), WORD(1));
	nested_run(cpu, "all refused, and L2 is where it was");
	nested_free(&n);
}

/* ---- PDPTEs ---- */

#define AR_CODE32	0xc09b

/* Pages of the window, where L2's gvas are its gpas. */
#define PAE_GVA(page)	(NESTED_L2_GPA + PAGE_OFF(page))
#define PAE_CODE	30
#define PAE_RESULT	31
#define PAE_DATA	32
#define PAE_TABLES	40		/* two sets: PDPT, PD, page table */

static uint64_t *window_page(struct nested *n, unsigned int page)
{
	return addr_gpa2hva(n->vm, PAGE_GPA(page));
}

/* The two differ in the page of the data only. Returns CR3; and the PDPTE of the window. */
static uint32_t make_pae_tables(struct nested *n, unsigned int set, uint64_t *pdpte)
{
	const unsigned int pdpt = PAE_TABLES + 3 * set, pd = pdpt + 1, pt = pdpt + 2;
	unsigned int i;

	memset(window_page(n, pdpt), 0, PAGE_SIZE);
	memset(window_page(n, pd), 0, PAGE_SIZE);
	*pdpte = PAE_GVA(pd) | PTE_PRESENT_MASK;
	window_page(n, pdpt)[PAE_GVA(0) >> PG_LEVEL_SHIFT(PG_LEVEL_1G)] = *pdpte;
	window_page(n, pd)[0] = PAE_GVA(pt) | PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
	for (i = 0; i < 512; i++)
		window_page(n, pt)[i] = PAE_GVA(i == PAE_DATA ? i + set : i) |
					PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
	return PAE_GVA(pdpt);
}

/* At 0: copies the data to the result; at 64: loads @cr3 before that. */
static void make_pae_code(struct nested *n, uint32_t cr3)
{
	const uint32_t data = PAE_GVA(PAE_DATA), result = PAE_GVA(PAE_RESULT);
	uint8_t *code = (uint8_t *)window_page(n, PAE_CODE), *at = code + 64;

	/* mov data, %eax; mov %eax, result; vmcall */
	code[0] = 0xa1;
	memcpy(code + 1, &data, 4);
	code[5] = 0xa3;
	memcpy(code + 6, &result, 4);
	memcpy(code + 10, "\x0f\x01\xc1", 3);
	/* mov $cr3, %eax; mov %eax, %cr3 */
	at[0] = 0xb8;
	memcpy(at + 1, &cr3, 4);
	memcpy(at + 5, "\x0f\x22\xd8", 3);
	memcpy(at + 8, code, 13);
}

static void run_pae(struct nested_cpu *cpu, unsigned int entry, uint64_t pdpte,
		    unsigned int set, const char *what)
{
	uint64_t got;

	*window_page(cpu->n, PAE_RESULT) = 0;
	l1_vmwrite(cpu, GUEST_RIP, PAE_GVA(PAE_CODE) + entry);
	nested_order(cpu, L1_ENTER, 0, 0, NESTED_WANT(DATA, EXIT_REASON_VMCALL));
	nested_order(cpu, L1_VMREAD, GUEST_PDPTR2, 0, NESTED_WANT(DATA, pdpte));
	nested_run(cpu, "%s", what);
	got = (uint32_t)*window_page(cpu->n, PAE_RESULT);
	TEST_ASSERT(got == (uint32_t)WORD(PAE_DATA + set),
		    "%s: an L2 with PAE's page tables reads 0x%lx, want 0x%x", what, got,
		    (uint32_t)WORD(PAE_DATA + set));
}

/*
 * With EPT, the PDPTEs of an L2 with PAE's page tables are part of its state: L1 sets
 * them, L2 loads others with CR3, and L1 gets those, and has L2 go on with them.
 */
KVM_TEST(l2_with_pae_keeps_its_pdptes)
{
	static const enum vmcs_field data[] = {
		GUEST_ES_SELECTOR, GUEST_SS_SELECTOR, GUEST_DS_SELECTOR, GUEST_FS_SELECTOR,
		GUEST_GS_SELECTOR,
	};
	uint64_t pdpte[2], controls;
	struct nested_cpu *cpu;
	unsigned int i, other;
	struct nested n;
	uint32_t cr3[2];

	cpu = nested_create_for_vmx(&n);
	for (i = 0; i < 2; i++)
		cr3[i] = make_pae_tables(&n, i, &pdpte[i]);
	l2_read(cpu, 0, WORD(0));
	controls = l1_vmread(cpu, VM_ENTRY_CONTROLS);
	l1_vmwrite(cpu, VM_ENTRY_CONTROLS, controls & ~VM_ENTRY_IA32E_MODE);
	l1_vmwrite(cpu, GUEST_IA32_EFER, 0);
	l1_vmwrite(cpu, GUEST_CS_AR_BYTES, AR_CODE32);
	/* Data segments are the same in both modes. */
	for (i = 0; i < ARRAY_SIZE(data); i++)
		l1_vmwrite(cpu, data[i], KERNEL_DS);
	l1_vmwrite(cpu, GUEST_RFLAGS, X86_EFLAGS_FIXED);
	for (i = 0; i < 4; i++) {
		other = !(i & 1);
		make_pae_code(&n, cr3[other]);
		l1_vmwrite(cpu, GUEST_CR3, cr3[!other]);
		/* By L1, whatever the PDPT says. */
		l1_vmwrite(cpu, GUEST_PDPTR2, pdpte[!other]);
		run_pae(cpu, 0, pdpte[!other], !other, "PDPTEs by L1");
		run_pae(cpu, 64, pdpte[other], other, "PDPTEs by L2, with CR3");
		run_pae(cpu, 0, pdpte[other], other, "the PDPTEs that L2 has loaded");
		l1_vmwrite(cpu, GUEST_PDPTR2, pdpte[!other]);
		run_pae(cpu, 0, pdpte[!other], !other, "PDPTEs of L1's that are not in the PDPT");
	}
	nested_free(&n);
}

/* ---- the virtual-APIC page ---- */

/* The CPU writes L2's TPR there, past KVM, which is to say so in the dirty log. */
KVM_TEST(tpr_of_l2_is_in_the_dirty_log)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	uint32_t tpr;

	cpu = nested_create_for_vmx(&n);
	__TEST_REQUIRE(nested_vmx_msr(&n, MSR_IA32_VMX_TRUE_PROCBASED_CTLS) >> 32 &
		       CPU_BASED_TPR_SHADOW, "needs a TPR shadow in the guest's VMX");
	memset(special_page(&n), 0, PAGE_SIZE);
	l1_vmwrite(cpu, VIRTUAL_APIC_PAGE_ADDR, PAGE_GPA(SPECIAL_PAGE));
	l1_add_controls(cpu, CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_TPR_SHADOW);
	vm_mem_region_set_flags(n.vm, NESTED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 1; i < 6; i++) {
		is_special_page_logged(&n);
		nested_order(cpu, L2_SET_CR8, 0, i, NESTED_WANT(DATA, i));
		if (i % 2)
			nested_run(cpu, "L2 sets its TPR");
		else
			nested_run_in_l2(cpu, "L2 sets its TPR, and has not gone to L1");
		tpr = ((uint32_t *)special_page(&n))[0x80 / 4];
		TEST_ASSERT(tpr == i << 4, "L2 has set CR8 to %u, and its virtual-APIC page has TPR 0x%x",
			    i, tpr);
		TEST_ASSERT(is_special_page_logged(&n),
			    "L2 has written its TPR to the virtual-APIC page at gpa 0x%lx, which is not in the dirty log",
			    PAGE_GPA(SPECIAL_PAGE));
		nested_run(cpu, "back in L1");
	}
	nested_free(&n);
}

KVM_TEST_MAIN()
