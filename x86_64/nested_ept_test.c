// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only VMX has of nested paging: entries that give any combination of rights,
 * exit qualifications, dirty bits that are logged, EPTPs that L2 switches itself, and
 * what INVEPT, INVVPID and an EPT violation make forgotten. L1 is told of each access
 * exactly what the tables say, and an operand that is none is refused.
 *
 * What breaks this: rights of the last entry where those of all levels count; a root
 * that is found, or not found, by bits of the EPTP that are no address; a flush that
 * reaches the current root only; an index of the page-modification log that is one off.
 */
#include <string.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_ept_test, .needs = { .mem_mb = 64 });

#define PAGE_GPA(i)	(NESTED_GPA + (i) * PAGE_SIZE)
#define PAGE_OFF(i)	((i) * PAGE_SIZE)
#define WORD(i)		NESTED_WORD(i)
#define CODE		PATTERN_CODE_OFFSET

/* Pages of L1's that the CPU, or KVM in its place, reads or writes. */
#define SPECIAL_PAGE	900

static struct nested_cpu *create(struct nested *n)
{
	struct nested_cpu *cpu;

	__TEST_REQUIRE(!host_is_amd(), "needs a CPU of Intel, for VMX");
	cpu = nested_create_with_ram(n, 1, true);
	nested_map(n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	return cpu;
}

static uint64_t ept_caps(struct nested *n)
{
	return nested_vmx_msr(n, MSR_IA32_VMX_EPT_VPID_CAP);
}

static void require_secondary(struct nested *n, uint64_t control, const char *name)
{
	__TEST_REQUIRE(nested_vmx_msr(n, MSR_IA32_VMX_PROCBASED_CTLS2) >> 32 & control,
		       "needs %s in the guest's VMX: a CPU that has it, and a KVM that offers it",
		       name);
}

static void l1_vmwrite(struct nested_cpu *cpu, enum vmcs_field field, uint64_t value)
{
	nested_order(cpu, L1_VMWRITE, field, value, NESTED_WANT(DATA, value));
}

static uint64_t l1_vmread(struct nested_cpu *cpu, enum vmcs_field field)
{
	nested_order(cpu, L1_VMREAD, field, 0, NESTED_WANT(ANY, 0));
	nested_run(cpu, "VMREAD of 0x%x", field);
	return cpu->box->step[0].got;
}

static void l1_add_controls(struct nested_cpu *cpu, enum vmcs_field field, uint64_t bits)
{
	l1_vmwrite(cpu, field, l1_vmread(cpu, field) | bits);
	nested_run(cpu, "controls 0x%x, with 0x%lx", field, bits);
}

/* As it is, with all of its bits. */
static void l1_set_eptp(struct nested_cpu *cpu, uint64_t eptp)
{
	nested_order(cpu, L1_SET_ROOT, 0, eptp, NESTED_WANT(ANY, 0));
}

static void l1_invept(struct nested_cpu *cpu, uint64_t type, uint64_t eptp, uint64_t error)
{
	nested_order(cpu, L1_INVEPT, type, eptp, NESTED_WANT(DATA, error));
}

/*
 * A table that L1 has written to is not write-protected any more, and what is cached of
 * it stays until it is flushed. Here it is an entry that nobody uses.
 */
static void l1_touch_table(struct nested_cpu *cpu, uint64_t off)
{
	l1_set_entry(cpu, align_down(off, SZ_2M) + PAGE_OFF(511), PG_LEVEL_4K, 0);
}

/* ---- rights, and exit qualifications ---- */

static const struct {
	enum nested_op op;
	uint64_t qualification, right;
	unsigned int offset;
} accesses[] = {
	{ L2_READ, EPT_VIOLATION_READ, EPT_READ, 0 },
	{ L2_WRITE, EPT_VIOLATION_WRITE, EPT_WRITE, 8 },
	{ L2_EXEC, EPT_VIOLATION_FETCH, EPT_EXEC, CODE },
};

static void expect_violation(struct nested_cpu *cpu, uint64_t addr, uint64_t want)
{
	const struct nested_step *s = &cpu->box->step[0];
	const uint64_t gpa = addr - NESTED_L2_GVA + NESTED_L2_GPA;

	TEST_ASSERT(s->exit_code == EXIT_REASON_EPT_VIOLATION && s->info == want &&
		    s->fault_addr == gpa && s->linear_addr == addr,
		    "an EPT violation at gpa 0x%lx of L2, gva 0x%lx: want qualification 0x%lx; L1 has exit reason %lu, qualification 0x%lx, gpa 0x%lx, gva 0x%lx",
		    gpa, addr, want, s->exit_code, s->info, s->fault_addr, s->linear_addr);
}

/* @rights are those of all levels together. */
static void try_all_accesses(struct nested_cpu *cpu, unsigned int page, uint64_t rights,
			     const char *what)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint64_t off = PAGE_OFF(page) + accesses[i].offset;

		if (rights & accesses[i].right) {
			switch (accesses[i].op) {
			case L2_READ: l2_read(cpu, off, WORD(page)); break;
			case L2_WRITE: l2_write(cpu, off, rights); break;
			default: l2_exec(cpu, off);
			}
			nested_run(cpu, "rights 0x%lx by %s", rights, what);
			continue;
		}
		nested_order(cpu, accesses[i].op, NESTED_L2_GVA + off, ~rights,
			     NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		nested_run(cpu, "rights 0x%lx by %s", rights, what);
		expect_violation(cpu, NESTED_L2_GVA + off, accesses[i].qualification |
				 rights << 3 | EPT_VIOLATION_GVA_VALID |
				 EPT_VIOLATION_GVA_TRANSLATED);
	}
}

#define RWX	(EPT_READ | EPT_WRITE | EPT_EXEC)

static bool is_misconfigured(struct nested *n, uint64_t rights)
{
	return (rights & EPT_WRITE && !(rights & EPT_READ)) ||
	       (rights == EPT_EXEC && !(ept_caps(n) & VMX_EPT_EXECUTE_ONLY_BIT));
}

static void expect_misconfig(struct nested_cpu *cpu, unsigned int page, const char *what)
{
	const struct nested_step *s = &cpu->box->step[0];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint64_t off = PAGE_OFF(page) + accesses[i].offset;

		nested_order(cpu, accesses[i].op, NESTED_L2_GVA + off, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		nested_run(cpu, "misconfigured: %s", what);
		TEST_ASSERT(s->exit_code == EXIT_REASON_EPT_MISCONFIG &&
			    s->fault_addr == NESTED_L2_GPA + off,
			    "misconfigured by %s: want exit reason %u at gpa 0x%lx of L2, L1 has %lu at 0x%lx",
			    what, EXIT_REASON_EPT_MISCONFIG, NESTED_L2_GPA + off,
			    s->exit_code, s->fault_addr);
	}
}

/* One entry of each level in turn, with all that there is, and the others with all rights. */
KVM_TEST(rights_are_those_of_all_levels)
{
	struct nested_cpu *cpu;
	char what[64];
	struct nested n;
	uint64_t entry, rights;
	int level;

	cpu = create(&n);
	for (level = PG_LEVEL_4K; level <= PG_LEVEL_1G; level++) {
		entry = *nested_entry(&n, PAGE_OFF(3), level);
		for (rights = 0; rights <= RWX; rights++) {
			snprintf(what, sizeof(what), "an entry of level %d with 0x%lx", level,
				 rights);
			l1_edit(cpu, PAGE_OFF(3), level, (entry & ~RWX) | rights);
			if (is_misconfigured(&n, rights))
				expect_misconfig(cpu, 3, what);
			else
				try_all_accesses(cpu, 3, rights, what);
		}
		l1_edit(cpu, PAGE_OFF(3), level, entry);
	}
	try_all_accesses(cpu, 3, RWX, "all entries");
	nested_free(&n);
}

/* Neither of two entries has what both together have not. */
KVM_TEST(rights_of_two_levels_are_what_both_give)
{
	static const uint64_t some[] = {
		EPT_READ, EPT_READ | EPT_WRITE, EPT_READ | EPT_EXEC, EPT_EXEC,
	};
	uint64_t upper, leaf;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n);
	upper = *nested_entry(&n, 0, PG_LEVEL_2M);
	leaf = *nested_entry(&n, PAGE_OFF(3), PG_LEVEL_4K);
	for (i = 0; i < ARRAY_SIZE(some) * ARRAY_SIZE(some); i++) {
		uint64_t a = some[i / ARRAY_SIZE(some)], b = some[i % ARRAY_SIZE(some)];

		if (a == b || is_misconfigured(&n, a) || is_misconfigured(&n, b))
			continue;
		l1_set_entry(cpu, 0, PG_LEVEL_2M, (upper & ~RWX) | a);
		l1_edit(cpu, PAGE_OFF(3), PG_LEVEL_4K, (leaf & ~RWX) | b);
		try_all_accesses(cpu, 3, a & b, "two entries");
	}
	nested_free(&n);
}

KVM_TEST(memory_types_and_bits_that_are_none)
{
	static const struct {
		int level;
		uint64_t bits;
	} none[] = {
		{ PG_LEVEL_4K, 2 << 3 }, { PG_LEVEL_4K, 3 << 3 }, { PG_LEVEL_4K, 7 << 3 },
		{ PG_LEVEL_2M, 1 << 3 }, { PG_LEVEL_2M, 4 << 3 }, { PG_LEVEL_1G, 1 << 3 },
		{ PG_LEVEL_1G, 4 << 3 },
	};
	struct nested_cpu *cpu;
	uint64_t entry, bad;
	char what[64];
	struct nested n;
	unsigned int i;

	cpu = create(&n);
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		entry = *nested_entry(&n, PAGE_OFF(3), none[i].level);
		bad = (entry & ~(7ULL << 3)) | none[i].bits;
		snprintf(what, sizeof(what), "0x%lx in an entry of level %d", none[i].bits,
			 none[i].level);
		l1_edit(cpu, PAGE_OFF(3), none[i].level, bad);
		expect_misconfig(cpu, 3, what);
		l1_edit(cpu, PAGE_OFF(3), none[i].level, entry);
		l2_read(cpu, PAGE_OFF(3), WORD(3));
		nested_run(cpu, "the good entry of level %d again", none[i].level);
	}
	nested_free(&n);
}

/* ---- flushes ---- */

static void require_ad(struct nested *n)
{
	__TEST_REQUIRE(nested_has_ept_ad(n),
		       "needs A/D bits in the guest's EPT: kvm_intel.eptad=1 on a CPU that has them");
}

/*
 * An EPT violation forgets the gpa (SDM vol. 3 section 29.4.3.1): L1 may have it lead
 * elsewhere then, without INVEPT.
 */
KVM_TEST(violation_forgets_the_page)
{
	const uint64_t off = PAGE_OFF(3);
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n);
	for (i = 0; i < 4; i++) {
		l1_edit(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 10 + i, NESTED_R));
		l2_read(cpu, off, WORD(10 + i));
		l1_touch_table(cpu, off);
		l2_read(cpu, off, WORD(10 + i));
		l2_fault(cpu, L2_WRITE, off + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 20 + i, NESTED_RW));
		l2_read(cpu, off, WORD(20 + i));
		l2_write(cpu, off + 8, i);
		nested_run(cpu, "round %u: the page of an EPT violation is exchanged", i);
	}
	nested_free(&n);
}

/*
 * What is cached of EPT is tagged by the address of the top table only, not by the
 * other bits of the EPTP: INVEPT, or a violation, with one of two such EPTPs is for both.
 */
KVM_TEST(eptps_of_one_table_are_flushed_together)
{
	const uint64_t off = PAGE_OFF(3);
	struct nested_cpu *cpu;
	uint64_t eptp[2];
	struct nested n;
	unsigned int i, a;

	cpu = create(&n);
	require_ad(&n);
	eptp[0] = nested_root_value(&n, n.root);
	eptp[1] = eptp[0] | EPTP_AD;
	for (i = 0; i < 8; i++) {
		a = i & 1;
		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 10 + i, NESTED_R));
		l1_invept(cpu, 1, eptp[a], 0);
		l1_set_eptp(cpu, eptp[!a]);
		l2_read(cpu, off, WORD(10 + i));
		l1_set_eptp(cpu, eptp[a]);
		l2_read(cpu, off, WORD(10 + i));
		nested_run(cpu, "round %u: INVEPT with A/D bits %s", i, a ? "on" : "off");

		l1_touch_table(cpu, off);
		l2_fault(cpu, L2_WRITE, off + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 20 + i, NESTED_RW));
		l1_set_eptp(cpu, eptp[!a]);
		l2_read(cpu, off, WORD(20 + i));
		nested_run(cpu, "round %u: a violation with A/D bits %s", i, a ? "on" : "off");
	}
	nested_free(&n);
}

/* All roots, also those that L1 has not used last. */
KVM_TEST(invept_of_all_reaches_every_root)
{
	gpa_t roots[3], entry[3];
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i, k;

	cpu = create(&n);
	__TEST_REQUIRE(ept_caps(&n) & VMX_EPT_EXTENT_GLOBAL_BIT, "needs INVEPT of all contexts");
	for (i = 0; i < 3; i++) {
		roots[i] = nested_new_root(&n);
		__nested_map(&n, roots[i], 0, PAGE_GPA(i), PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
		entry[i] = n.tables_gva + (n.nr_tables - 1) * PAGE_SIZE;
	}
	for (i = 0; i < 4; i++) {
		for (k = 0; k < 3; k++) {
			l1_set_root(cpu, roots[k]);
			l2_read(cpu, 0, WORD(3 * i + k));
		}
		for (k = 0; k < 3; k++)
			l1_write(cpu, entry[k], nested_ram_leaf(cpu, 3 * i + 3 + k, NESTED_RW));
		l1_invept(cpu, 2, 0, 0);
		nested_run(cpu, "round %u: INVEPT of all", i);
	}
	nested_free(&n);
}

static const struct {
	const char *what;
	uint64_t toggle;
} bad_eptp[] = {
	{ "memory type 1", 7 }, { "memory type 7", 1 }, { "a walk of 3 levels", 1 << 3 },
	{ "bit 7", BIT(7) }, { "bit 11", BIT(11) }, { "bit 62", BIT_ULL(62) },
};

KVM_TEST(operands_that_are_none_are_refused)
{
	const uint64_t off = PAGE_OFF(3);
	uint64_t eptp, beyond;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n);
	eptp = nested_root_value(&n, n.root);
	l2_read(cpu, off, WORD(3));
	nested_run(cpu, "the good EPTP");
	for (i = 0; i < ARRAY_SIZE(bad_eptp); i++) {
		l1_invept(cpu, 1, eptp ^ bad_eptp[i].toggle, VMXERR_INVALID_OPERAND);
		l1_set_eptp(cpu, eptp ^ bad_eptp[i].toggle);
		nested_order(cpu, L2_READ, NESTED_L2_GVA + off, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_NO_ENTRY));
		l1_set_eptp(cpu, eptp);
		l2_read(cpu, off, WORD(3));
		nested_run(cpu, "an EPTP with %s", bad_eptp[i].what);
		TEST_ASSERT_EQ(cpu->box->step[2].exit_code, (uint64_t)VMXERR_INVALID_CONTROLS);
	}
	if (n.vm->pa_bits < 52) {
		beyond = eptp | BIT_ULL(n.vm->pa_bits);
		l1_invept(cpu, 1, beyond, VMXERR_INVALID_OPERAND);
		l1_set_eptp(cpu, beyond);
		nested_order(cpu, L2_READ, NESTED_L2_GVA + off, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_NO_ENTRY));
		l1_set_eptp(cpu, eptp);
		nested_run(cpu, "an EPTP beyond MAXPHYADDR");
	}
	l1_invept(cpu, 0, eptp, VMXERR_INVALID_OPERAND);
	l1_invept(cpu, 3, eptp, VMXERR_INVALID_OPERAND);
	l1_invept(cpu, 33, eptp, VMXERR_INVALID_OPERAND);
	l1_invept(cpu, BIT_ULL(32) | 1, eptp, VMXERR_INVALID_OPERAND);
	l2_read(cpu, off, WORD(3));
	nested_run(cpu, "types that INVEPT does not have");
	nested_free(&n);
}

/* ---- VPIDs, with L2's own page tables ---- */

static uint64_t vpid_operand(uint64_t type, uint64_t vpid)
{
	return type << 32 | vpid;
}

KVM_TEST(invvpid_of_each_type)
{
	const uint64_t off = PAGE_OFF(3);
	const uint64_t all = vpid_operand(2, 0), vpid1 = vpid_operand(1, 1);
	uint64_t operand[4] = { vpid_operand(0, 1), vpid1, all, vpid_operand(3, 1) };
	struct nested_cpu *cpu;
	unsigned int i, type;
	struct nested n;
	uint64_t caps;

	__TEST_REQUIRE(!host_is_amd(), "needs a CPU of Intel, for VMX");
	cpu = nested_create_with_ram(&n, 1, false);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	require_secondary(&n, SECONDARY_EXEC_ENABLE_VPID, "VPIDs");
	caps = nested_vmx_msr(&n, MSR_IA32_VMX_EPT_VPID_CAP);
	l1_add_controls(cpu, CPU_BASED_VM_EXEC_CONTROL, CPU_BASED_ACTIVATE_SECONDARY_CONTROLS);
	l1_vmwrite(cpu, SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_VPID);
	l1_vmwrite(cpu, VIRTUAL_PROCESSOR_ID, 1);
	for (i = 0; i < 16; i++) {
		type = i % 4;
		if (!(caps & VMX_VPID_EXTENT_BIT(type)))
			continue;
		l2_read(cpu, off, WORD(i ? 20 + i - 1 : 3));
		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 20 + i, NESTED_RW));
		nested_order(cpu, L1_INVVPID, NESTED_L2_GVA + off, operand[type],
			     NESTED_WANT(DATA, 0));
		l2_read(cpu, off, WORD(20 + i));
		l2_write(cpu, off + 8, i);
		nested_run(cpu, "INVVPID of type %u", type);
	}
	/* Nothing of a VPID that was not in use before is cached. */
	for (i = 2; i < 6; i++) {
		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 40 + i, NESTED_RW));
		l1_vmwrite(cpu, VIRTUAL_PROCESSOR_ID, i);
		l2_read(cpu, off, WORD(40 + i));
		nested_run(cpu, "VPID %u", i);
	}
	nested_order(cpu, L1_INVVPID, 0, vpid_operand(1, 0),
		     NESTED_WANT(DATA, VMXERR_INVALID_OPERAND));
	nested_order(cpu, L1_INVVPID, 0, vpid_operand(1, 0x10001),
		     NESTED_WANT(DATA, VMXERR_INVALID_OPERAND));
	nested_order(cpu, L1_INVVPID, 0, vpid_operand(4, 1),
		     NESTED_WANT(DATA, VMXERR_INVALID_OPERAND));
	nested_order(cpu, L1_INVVPID, BIT_ULL(62), vpid_operand(0, 1),
		     NESTED_WANT(DATA, VMXERR_INVALID_OPERAND));
	nested_run(cpu, "operands that INVVPID does not take");
	nested_free(&n);
}

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

	cpu = create(&n);
	require_ad(&n);
	require_secondary(&n, SECONDARY_EXEC_ENABLE_PML, "a page-modification log");
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

	cpu = create(&n);
	require_secondary(&n, SECONDARY_EXEC_ENABLE_VMFUNC, "VMFUNC");
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

/* ---- the virtual-APIC page ---- */

/* The CPU writes L2's TPR there, past KVM, which is to say so in the dirty log. */
KVM_TEST(tpr_of_l2_is_in_the_dirty_log)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	uint32_t tpr;

	cpu = create(&n);
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
