// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only VMX has of nested paging: entries that give any combination of rights, exit
 * qualifications, and what INVEPT, INVVPID and an EPT violation make forgotten. L1 is
 * told of each access exactly what the tables say, and an operand that is none is refused.
 *
 * What breaks this: rights of the last entry where those of all levels count; a root
 * that is found, or not found, by bits of the EPTP that are no address; a flush that
 * reaches the current root only.
 */
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_ept_test, .needs = { .mem_mb = 64 });

#define PAGE_GPA(i)	(NESTED_GPA + (i) * PAGE_SIZE)
#define PAGE_OFF(i)	((i) * PAGE_SIZE)
#define WORD(i)		NESTED_WORD(i)
#define CODE		PATTERN_CODE_OFFSET

static uint64_t ept_caps(struct nested *n)
{
	return nested_vmx_msr(n, MSR_IA32_VMX_EPT_VPID_CAP);
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

static void expect_violation(const struct nested_step *s, uint64_t addr, uint64_t want)
{
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
	unsigned int i, step;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint64_t off = PAGE_OFF(page) + accesses[i].offset;

		step = cpu->box->nr;
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
		expect_violation(&cpu->box->step[step], NESTED_L2_GVA + off,
				 accesses[i].qualification | rights << 3 |
				 EPT_VIOLATION_GVA_VALID | EPT_VIOLATION_GVA_TRANSLATED);
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
	const struct nested_step *s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		uint64_t off = PAGE_OFF(page) + accesses[i].offset;

		s = &cpu->box->step[cpu->box->nr];
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

	cpu = nested_create_for_vmx(&n);
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

	cpu = nested_create_for_vmx(&n);
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

	cpu = nested_create_for_vmx(&n);
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

/*
 * An EPT violation forgets the gpa (SDM vol. 3 section 29.4.3.1): what L1 has written
 * there counts from then on, without INVEPT.
 */
KVM_TEST(violation_forgets_the_page)
{
	const uint64_t off = PAGE_OFF(3);
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_for_vmx(&n);
	for (i = 0; i < 4; i++) {
		l1_edit(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 10 + i, NESTED_R));
		l2_read(cpu, off, WORD(10 + i));
		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 20 + i, NESTED_R));
		l2_fault(cpu, L2_WRITE, off + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, off, WORD(20 + i));
		nested_run(cpu, "round %u: another page, and an EPT violation", i);
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

	cpu = nested_create_for_vmx(&n);
	nested_require_ept_ad(&n);
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

		l1_set_entry(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, 20 + i, NESTED_R));
		l2_fault(cpu, L2_WRITE, off + 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
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

	cpu = nested_create_for_vmx(&n);
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

	cpu = nested_create_for_vmx(&n);
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

	nested_require_vmx();
	cpu = nested_create_with_ram(&n, 1, false);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	nested_require_secondary(&n, SECONDARY_EXEC_ENABLE_VPID, "VPIDs");
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

KVM_TEST_MAIN()
