// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that is in L2 when something happens to it: it is saved and goes on in
 * another VM, it is put back to L1, into SMM or out of it, L2 dies of a triple fault,
 * or the VMM dies. L2 then sees the memory that it saw before, L1 sees its own, and
 * the host sees nothing.
 *
 * What breaks this: an MMU that stays the nested one, or is not made it; roots that
 * nobody frees; state that is loaded before or after what it depends on.
 */
#include "dying.h"
#include "kvm_test_harness.h"
#include "nested.h"
#include "smm.h"

KVM_TEST_SUITE(nested_state_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_NESTED_STATE)), .mem_mb = 64 },
	.fixes = FIXES("f7e570780efc KVM: x86: Forcibly leave nested virt when SMM state is toggled",
		       "ed129ec9057f KVM: x86: forcibly leave nested mode on vCPU reset"));

#define NPAGES		8
#define GAP_OFF		SZ_2M
#define GAP_GPA		(NESTED_GPA + 64 * SZ_1M)
#define UNMAPPED_OFF	(2 * SZ_2M)
#define SMI_SLOT	4
#define SMI_READ_GPA	0x30000		/* SMRAM's first word */

NESTED_VARIANTS(l2)

static struct nested_cpu *create(struct nested *n, bool paging)
{
	nested_create(n, 1, paging);
	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA, NESTED_SLOT,
				    NPAGES, 0);
	nested_map(n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	nested_map(n, GAP_OFF, GAP_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	return &n->cpu[0];
}

/* What L2 and L1 see, each in its own way; L2 first. */
static void touch_l2(struct nested_cpu *cpu, uint64_t value)
{
	l2_write(cpu, 0, value);
	l2_read_gap(cpu, GAP_OFF, GAP_GPA);
	l2_write_gap(cpu, GAP_OFF + PAGE_SIZE, GAP_GPA + PAGE_SIZE, value);
	l2_read(cpu, 0, value);
}

static void touch_l1(struct nested_cpu *cpu, uint64_t value)
{
	l1_write(cpu, NESTED_GPA + 8, value);
	l1_read_gap(cpu, GAP_GPA + PAGE_SIZE);
	l2_fault(cpu, L2_READ, UNMAPPED_OFF, 0);
	l1_read_gap(cpu, GAP_GPA);
	l1_read(cpu, NESTED_GPA + 8, value);
}

static void expect_in_l2(struct nested_cpu *cpu, bool in_l2)
{
	TEST_ASSERT_ORACLE(ORACLE_EXIT, vcpu_is_in_l2(cpu->vcpu) == in_l2,
			   "KVM_GET_NESTED_STATE says that vCPU %u is %sin L2",
			   cpu->vcpu->id, in_l2 ? "not " : "");
}

/* ---- saved and loaded ---- */

/*
 * On SVM, 5.10 calls a function of the MMU's that is not there yet when the state of an
 * L2 is loaded, and does not bring all of it back after an SMI.
 */
static void skip_known_bug(const char *bug)
{
	__TEST_REQUIRE(!host_is_amd() || kernel_at_least(5, 15) ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: %s; --set known_bugs=1 makes it do so", bug);
}

#define LOADING_AN_L2	"to load the state of an L2 takes the host down"

static void migrate(bool paging, bool in_l2)
{
	struct nested_cpu *cpu;
	struct nested n;

	skip_known_bug(LOADING_AN_L2);
	cpu = create(&n, paging);
	touch_l2(cpu, 1);
	touch_l1(cpu, 1);
	nested_run(cpu, "before");
	touch_l2(cpu, 2);
	if (in_l2)
		nested_run_in_l2(cpu, "in L2, before the migration");
	else
		nested_run(cpu, "in L1, before the migration");
	expect_in_l2(cpu, in_l2);
	breadcrumb("migration");
	nested_migrate(&n);
	expect_in_l2(cpu, in_l2);
	touch_l2(cpu, 3);
	touch_l1(cpu, 3);
	touch_l2(cpu, 4);
	nested_run(cpu, "after the migration");
	l1_set_entry(cpu, 0, PG_LEVEL_4K,
		     nested_leaf(&n, NESTED_GPA + PAGE_SIZE, PG_LEVEL_4K, NESTED_R));
	l1_flush(cpu);
	l2_read(cpu, 0, 0);
	l2_fault(cpu, L2_WRITE, 0, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
	nested_run(cpu, "an entry changed after the migration");
	nested_free(&n);
}

KVM_TEST_F(l2, goes_on_in_another_vm)
{
	migrate(variant->paging, true);
}

KVM_TEST_F(l2, goes_on_in_another_vm_from_l1)
{
	migrate(variant->paging, false);
}

/*
 * The format of L1's nested page tables is that of its own registers, which are not the
 * vCPU's when the state of an L2 is loaded.
 */
static void migrate_l2_with_other_nx(bool l1_has_nx)
{
	struct kvm_sregs sregs;
	struct nested_cpu *cpu;
	struct nested n;

	skip_known_bug(LOADING_AN_L2);
	__TEST_REQUIRE(host_is_amd(), "needs NPT, whose format is that of L1's page tables");
	cpu = create(&n, true);
	if (!l1_has_nx) {
		vcpu_sregs_get(cpu->vcpu, &sregs);
		sregs.efer &= ~EFER_NX;
		vcpu_sregs_set(cpu->vcpu, &sregs);
	}
	cpu->box->l2_efer_toggle = EFER_NX;
	l2_write(cpu, 0, 1);
	nested_run_in_l2(cpu, "in L2, with another EFER.NX than L1");
	breadcrumb("migration");
	nested_migrate(&n);
	*nested_entry(&n, PAGE_SIZE, PG_LEVEL_4K) |= PTE_NX_MASK;
	if (l1_has_nx) {
		l2_read(cpu, PAGE_SIZE, 0);
		l2_fault(cpu, L2_EXEC, PAGE_SIZE, PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
	} else {
		l2_fault(cpu, L2_READ, PAGE_SIZE, PFERR_RSVD_MASK | PFERR_PRESENT_MASK);
	}
	l2_read(cpu, 0, 1);
	nested_run(cpu, "after the migration");
	nested_free(&n);
}

KVM_TEST(l2_without_nx_goes_on_in_another_vm)
{
	migrate_l2_with_other_nx(true);
}

KVM_TEST(l2_with_nx_goes_on_in_another_vm)
{
	migrate_l2_with_other_nx(false);
}

/* The same vCPU takes its state back, again and again. */
KVM_TEST_F(l2, takes_its_state_back)
{
	static struct nested_vcpu_state state, none;
	struct nested_cpu *cpu;
	unsigned int i;
	struct nested n;

	skip_known_bug(LOADING_AN_L2);
	cpu = create(&n, variant->paging);
	touch_l1(cpu, 1);
	nested_run(cpu, "L1 is set up");
	nested_vcpu_save(cpu->vcpu, &none);
	for (i = 0; i < 6; i++) {
		touch_l2(cpu, i);
		nested_run_in_l2(cpu, "round %u", i);
		nested_vcpu_save(cpu->vcpu, &state);
		if (i % 2) {
			/* L1 in between, of which L2 must know nothing. */
			nested_vcpu_load(cpu->vcpu, &none);
			expect_in_l2(cpu, false);
		}
		nested_vcpu_load(cpu->vcpu, &state);
		expect_in_l2(cpu, true);
		touch_l2(cpu, 100 + i);
		touch_l1(cpu, i);
		nested_run(cpu, "round %u, loaded", i);
	}
	nested_free(&n);
}

/* ---- put out of L2 ---- */

static void put_out(bool paging, bool by_smm)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, paging);
	if (by_smm)
		vm_smm_init(n.vm);
	for (i = 0; i < 6; i++) {
		touch_l1(cpu, i);
		nested_run(cpu, "round %u: L1", i);
		touch_l2(cpu, i);
		nested_run_in_l2(cpu, "round %u: L2", i);
		vcpu_run_complete_io(cpu->vcpu);
		breadcrumb("round %u: out of L2", i);
		if (by_smm)
			vcpu_set_smm(cpu->vcpu, true);
		else
			vcpu_leave_nested(cpu->vcpu);
		expect_in_l2(cpu, false);
		if (by_smm)
			vcpu_set_smm(cpu->vcpu, false);
		nested_restart_l1(cpu);
		l1_write(cpu, NESTED_GPA, 7 + i);
		l1_read_gap(cpu, GAP_GPA);
		l1_read(cpu, NESTED_GPA, 7 + i);
		nested_run(cpu, "round %u: L1 anew", i);
	}
	nested_free(&n);
}

KVM_TEST_F(l2, is_left_by_set_nested_state)
{
	put_out(variant->paging, false);
}

KVM_TEST_F(l2, is_left_by_smm, .caps = NEED_CAPS_SMM)
{
	put_out(variant->paging, true);
}

/*
 * An SMI puts L2 aside, whose MMU and state come back with RSM. The slot is another one
 * by then, as far as KVM knows.
 */
KVM_TEST_F(l2, takes_an_smi, .caps = NEED_CAPS_SMM)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	skip_known_bug("RSM shuts down the vCPU that it takes back to L2");
	cpu = create(&n, variant->paging);
	vm_smm_init(n.vm);
	vm_smi_handler_init(n.vm, SMI_SLOT);
	for (i = 0; i < 6; i++) {
		touch_l1(cpu, i);
		touch_l2(cpu, i);
		if (i % 3)
			nested_run_in_l2(cpu, "round %u: L2", i);
		else
			nested_run(cpu, "round %u: L1", i);
		breadcrumb("round %u: an SMI in %s", i, i % 3 ? "L2" : "L1");
		vcpu_smi(cpu->vcpu);
		vcpu_smm_order(cpu->vcpu, SMM_READ, SMI_READ_GPA, 0);
		vcpu_smm_finish(cpu->vcpu);
		expect_in_l2(cpu, false);
		if (i % 2)
			vm_mem_region_reload(n.vm, NESTED_SLOT);
		vcpu_smm_order(cpu->vcpu, SMM_RSM, 0, 0);
		touch_l2(cpu, 10 + i);
		nested_run_in_l2(cpu, "round %u: L2 after RSM", i);
		vcpu_expect_smm(cpu->vcpu, false);
		expect_in_l2(cpu, true);
		touch_l1(cpu, 20 + i);
		nested_run(cpu, "round %u: L1 after RSM", i);
	}
	nested_free(&n);
}

/* ---- L2 dies ---- */

KVM_TEST_F(l2, dies_of_a_triple_fault)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, variant->paging);
	for (i = 0; i < 4; i++) {
		touch_l2(cpu, i);
		nested_order(cpu, L2_TRIPLE_FAULT, 0, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_TRIPLE_FAULT));
		touch_l1(cpu, i);
		touch_l2(cpu, ~i);
		nested_run(cpu, "round %u", i);
	}
	nested_free(&n);
}

/* Nobody intercepts it: the vCPU is reset, and what it was is of no matter. */
KVM_TEST_F(l2, shuts_the_vcpu_down)
{
	struct nested_cpu *cpu;
	struct nested n;

	__TEST_REQUIRE(host_is_amd(), "needs SVM, where L1 need not intercept a triple fault");
	cpu = create(&n, variant->paging);
	touch_l2(cpu, 1);
	nested_run_in_l2(cpu, "L2 before");
	nested_run(cpu, "L1 before");
	((struct vmcb *)addr_gva2hva(n.vm, (gva_t)cpu->box->svm.vmcb))->control.intercept &=
		~INTERCEPT_SHUTDOWN;
	nested_order(cpu, L2_TRIPLE_FAULT, 0, 0, NESTED_WANT(ANY, 0));
	test_step("a triple fault that is not intercepted");
	TEST_ASSERT_EQ(_vcpu_run(cpu->vcpu), 0);
	TEST_ASSERT_EQ(cpu->vcpu->run->exit_reason, (uint32_t)KVM_EXIT_SHUTDOWN);
	nested_free(&n);
}

/* ---- the VMM dies ---- */

struct alive {
	bool paging, migrated;
};

static struct kvm_vm *live_in_l2(void *arg)
{
	const struct alive *alive = arg;
	static struct nested n;
	struct nested_cpu *cpu;

	cpu = create(&n, alive->paging);
	touch_l2(cpu, 1);
	nested_run_in_l2(cpu, "L2");
	if (alive->migrated)
		nested_migrate(&n);
	breadcrumb("the vCPU is in L2");
	return n.vm;
}

VM_DEATH_VARIANTS(death)

KVM_TEST_F(death, while_l2_runs)
{
	struct alive alive = { .paging = kvm_is_tdp_enabled() };

	vm_die_in_child(variant->how, live_in_l2, &alive);
	alive.paging = false;
	vm_die_in_child(variant->how, live_in_l2, &alive);
}

/* Its state was loaded, and it has not run since. */
KVM_TEST_F(death, before_l2_runs_again)
{
	struct alive alive = { .paging = kvm_is_tdp_enabled(), .migrated = true };

	skip_known_bug(LOADING_AN_L2);
	vm_die_in_child(variant->how, live_in_l2, &alive);
}

KVM_TEST_MAIN()
