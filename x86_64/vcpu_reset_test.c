// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that is reset under way: by INIT and SIPI, by a shutdown, by its VMM; in long
 * mode, in SMM, in L2. It starts in real mode and sees guest physical memory as that
 * is, whatever its page tables said; back in long mode, with the same CR3, it sees what
 * they say by then.
 *
 * What breaks this: a root, or the format of the guest's tables, from before the reset;
 * an MMIO page that is remembered by its old address; memory that KVM goes on writing
 * to by itself; a vCPU that stays in L2 or in SMM.
 */
#include "kvm_test_harness.h"
#include "nested.h"
#include "real_mode.h"
#include "smm.h"

KVM_TEST_SUITE(vcpu_reset_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_SIGNAL_MSI)), .mem_mb = 64 },
	.fixes = FIXES("0aa1837533e5 KVM: x86: Properly reset MMU context at vCPU RESET/INIT",
		       "ed129ec9057f KVM: x86: forcibly leave nested mode on vCPU reset",
		       "6d58f275e6dc KVM: x86/mmu: clear MMIO cache when unloading the MMU"));

#define DECOY_GPA	0x40000000UL
#define FAR_GAP_GPA	0x80000000UL
#define DECOY_SLOT	6

#define PTE_FLAGS	(PTE_PRESENT_MASK | PTE_WRITABLE_MASK)

enum { WORLD_BEFORE, WORLD_AFTER, STAGE_GOES_ON };

static const gpa_t worlds[][REAL_WINDOW_PAGES] = {
	[WORLD_BEFORE] = { DECOY_GPA, DECOY_GPA + 0x1000, DECOY_GPA + 0x2000, FAR_GAP_GPA },
	[WORLD_AFTER] = { REAL_WINDOW_GPA, FAR_GAP_GPA + 0x1000, DECOY_GPA + 0x3000,
			  DECOY_GPA + 0x4000 },
};

enum guest_order { GUEST_GOES_ON, GUEST_SPINS, GUEST_DIES };

/* At REAL_STATE_GPA. */
struct state {
	uint32_t seen[REAL_WINDOW_PAGES];	/* in long mode */
	uint64_t order, spins;
};

/* ---- guest ---- */

static struct desc_ptr guest_gdt, guest_idt;

static void guest_touch_window(volatile struct state *state)
{
	gva_t gva = REAL_GAP_GPA;
	unsigned int i;

	asm volatile("outsl" : "+S"(gva) : "d"(REAL_STRING_PORT) : "memory");
	for (i = 0; i < REAL_WINDOW_PAGES; i++)
		state->seen[i] = guest_read32(REAL_WINDOW_GPA + i * PAGE_SIZE);
}

static void guest_die(void)
{
	const struct desc_ptr empty = {};

	asm volatile("lidt %0; int3" : : "m"(empty));
}

static void guest_before(void)
{
	volatile struct state *state = (void *)REAL_STATE_GPA;

	guest_touch_window(state);
	GUEST_SYNC(WORLD_BEFORE);
	while (state->order == GUEST_SPINS) {
		guest_read32(REAL_RAM_GPA);
		state->spins++;
	}
	if (state->order == GUEST_DIES)
		guest_die();
	GUEST_SYNC(STAGE_GOES_ON);
	GUEST_FAIL("the vCPU has not been reset");
}

static void guest_after(void)
{
	unsigned int i;

	/* STI as in vcpu_arch_init(): for the host's interrupts, which Bochs holds back. */
	asm volatile("lgdt %0; lidt %1; sti" : : "m"(guest_gdt), "m"(guest_idt));
	guest_touch_window((void *)REAL_STATE_GPA);
	GUEST_SYNC(WORLD_AFTER);
	for (i = 0; i < REAL_WINDOW_PAGES; i++)
		guest_write64(REAL_TABLE_GPA + (REAL_WINDOW_GPA / PAGE_SIZE + i) * 8,
			      worlds[WORLD_BEFORE][i] | PTE_FLAGS);
	write_cr3(read_cr3());
	guest_before();
}

/* ---- host ---- */

struct machine {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct real_mode_box *box;
	struct state *state;
	struct kvm_sregs power_on;
};

static bool is_gap(gpa_t gpa)
{
	return gpa >= FAR_GAP_GPA;
}

static void fill(struct kvm_vm *vm, gpa_t gpa, unsigned int npages)
{
	for (; npages--; gpa += PAGE_SIZE)
		*(uint32_t *)addr_gpa2hva(vm, gpa) = real_mode_word(gpa);
}

static void make_tables(struct machine *m)
{
	uint64_t *pte = addr_gpa2hva(m->vm, REAL_TABLE_GPA);
	unsigned int i;

	for (i = 0; i < REAL_WINDOW_PAGES; i++) {
		pte[REAL_WINDOW_GPA / PAGE_SIZE + i] = worlds[WORLD_BEFORE][i] | PTE_FLAGS;
		m->box->pte[i] = worlds[WORLD_AFTER][i] | PTE_FLAGS;
	}
	pte[REAL_TABLE_GPA / PAGE_SIZE] = REAL_TABLE_GPA | PTE_FLAGS;
	pte[REAL_BOX_GPA / PAGE_SIZE] = REAL_BOX_GPA | PTE_FLAGS;
	*(uint64_t *)addr_gpa2hva(m->vm, vm_entry_gpa(m->vm, REAL_WINDOW_GPA, PG_LEVEL_2M)) =
		REAL_TABLE_GPA | PTE_FLAGS;
}

static void machine_create(struct machine *m, uint32_t vcpu_id)
{
	struct kvm_regs regs;

	m->vm = vm_create(1);
	vm_real_mode_init(m->vm);
	vm_userspace_mem_region_add(m->vm, VM_MEM_SRC_ANONYMOUS, DECOY_GPA, DECOY_SLOT, 5, 0);
	fill(m->vm, DECOY_GPA, 5);
	real_mode_put_decoy(addr_gpa2hva(m->vm, DECOY_GPA));
	m->box = addr_gpa2hva(m->vm, REAL_BOX_GPA);
	m->state = addr_gpa2hva(m->vm, REAL_STATE_GPA);
	m->vcpu = vm_vcpu_add(m->vm, vcpu_id, NULL);
	vcpu_sregs_get(m->vcpu, &m->power_on);
	vcpu_arch_init(m->vcpu, guest_before);
	make_tables(m);

	vcpu_regs_get(m->vcpu, &regs);
	vm_real_mode_set_entry(m->vm, guest_after, regs.rsp);
	write_guest_global(m->vm, guest_gdt, ((struct desc_ptr){ PAGE_SIZE / 2 - 1, m->vm->gdt }));
	write_guest_global(m->vm, guest_idt, ((struct desc_ptr){ PAGE_SIZE - 1, m->vm->idt }));
}

/* The guest reads the window as its tables are. */
static void expect_world(struct machine *m, unsigned int world)
{
	static const char *const names[] = {
		[WORLD_BEFORE] = "before the reset", [WORLD_AFTER] = "in long mode again",
	};
	char where[256];
	unsigned int i;
	uint32_t want;
	gpa_t gpa;

	test_step("%s", names[world]);
	vcpu_run(m->vcpu);
	vcpu_check_outs(m->vcpu, REAL_GAP_GPA, worlds[world][2]);
	for (i = 0; i < REAL_WINDOW_PAGES; i++) {
		gpa = worlds[world][i];
		if (is_gap(gpa))
			vcpu_expect_mmio_read(m->vcpu, gpa, 4, real_mode_word(gpa));
	}
	vcpu_expect_sync(m->vcpu, world);
	for (i = 0; i < REAL_WINDOW_PAGES; i++) {
		gpa = worlds[world][i];
		want = is_gap(gpa) ? real_mode_word(gpa) : *(uint32_t *)addr_gpa2hva(m->vm, gpa);
		TEST_ASSERT(m->state->seen[i] == want,
			    "%s: the guest read 0x%x at gva 0x%lx, which is gpa 0x%lx in %s, want 0x%x",
			    names[world], m->state->seen[i], REAL_WINDOW_GPA + i * PAGE_SIZE, gpa,
			    vm_describe_gpa(m->vm, gpa, where, sizeof(where)), want);
	}
}

#define MSI_INIT	0x500
#define MSI_SIPI	0x600

/* KVM has no vCPU in its map of APIC ids until something is done to its APIC. */
static void make_apic_known(struct kvm_vcpu *vcpu)
{
	struct kvm_lapic_state state;

	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &state);
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &state);
}

/* As another vCPU's write to its ICR does. */
static void send_ipi(struct kvm_vcpu *vcpu, uint32_t what)
{
	struct kvm_msi msi = { .address_lo = 0xfee00000 | vcpu->id << 12, .data = what };
	int ret = __vm_ioctl(vcpu->vm, KVM_SIGNAL_MSI, &msi);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret == 1,
			   "KVM_SIGNAL_MSI of 0x%x to vCPU %u returned %d, want 1", what,
			   vcpu->id, ret);
}

static void send_init(struct kvm_vcpu *vcpu)
{
	send_ipi(vcpu, MSI_INIT);
	if (vcpu->id)
		send_ipi(vcpu, MSI_SIPI | REAL_WINDOW_GPA >> PAGE_SHIFT);
}

static void reset_by_vmm(struct machine *m)
{
	struct kvm_regs regs = { .rip = 0xfff0, .rflags = X86_EFLAGS_FIXED };

	vcpu_sregs_set(m->vcpu, &m->power_on);
	vcpu_regs_set(m->vcpu, &regs);
}

static void run_to_real_mode(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
}

/* The vCPU is in guest mode, and reads memory through its tables. */
static void reset_while_running(struct machine *m)
{
	volatile uint64_t *spins = &m->state->spins;
	const uint64_t before = *spins;

	m->state->order = GUEST_SPINS;
	vcpu_thread_start(m->vcpu, run_to_real_mode);
	while (*spins < before + 100)
		usleep(100);
	send_init(m->vcpu);
	vcpu_thread_join(m->vcpu);
}

static void die(struct machine *m)
{
	m->state->order = GUEST_DIES;
	TEST_ASSERT_EQ(_vcpu_run(m->vcpu), 0);
	if (m->vcpu->run->exit_reason != KVM_EXIT_SHUTDOWN)
		vcpu_unexpected_exit(m->vcpu, "KVM_EXIT_SHUTDOWN");
}

/* INIT waits until the vCPU leaves SMM; SIPI does not, and is lost. */
static void reset_after_smm(struct machine *m)
{
	m->state->order = GUEST_GOES_ON;
	send_ipi(m->vcpu, MSI_INIT);
	vcpu_expect_sync(m->vcpu, STAGE_GOES_ON);
	vcpu_expect_smm(m->vcpu, true);
	vcpu_run_complete_io(m->vcpu);
	vcpu_set_smm(m->vcpu, false);
	send_ipi(m->vcpu, MSI_SIPI | REAL_WINDOW_GPA >> PAGE_SHIFT);
}

/* SMM has the tables, and other memory where the code in real mode is outside. */
static void add_smm_memory(struct kvm_vm *vm)
{
	static const uint32_t slots[] = { REAL_IVT_SLOT, REAL_HIGH_SLOT, REAL_VECTOR_SLOT, DECOY_SLOT };
	struct userspace_mem_region *r;
	unsigned int i;

	vm_smm_init(vm);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		r = vm_get_mem_region(vm, slots[i]);
		vm_mem_region_add_backing(vm, &r->mem, r->mem.hva, r->gpa, SMM_SLOT(slots[i]),
					  r->size / PAGE_SIZE, 0);
	}
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, REAL_WINDOW_GPA, SMM_SLOT(REAL_LOW_SLOT), 2, 0);
	real_mode_put_decoy(vm_get_mem_region(vm, SMM_SLOT(REAL_LOW_SLOT))->mem.hva);
}

enum reset_by { BY_INIT, BY_SHUTDOWN, BY_VMM };

FIXTURE_VARIANT(vcpu) {
	uint32_t id;		/* 0 is the BSP, which gets no SIPI */
	enum reset_by by;
	bool running, smm;
};
KVM_FIXTURE(vcpu)
FIXTURE_VARIANT_ADD(vcpu, of_an_ap) { .id = 1 };
FIXTURE_VARIANT_ADD(vcpu, of_an_ap_that_runs) { .id = 1, .running = true };
FIXTURE_VARIANT_ADD(vcpu, of_the_bsp) { .id = 0 };
FIXTURE_VARIANT_ADD(vcpu, of_an_ap_in_smm) { .id = 1, .smm = true };
FIXTURE_VARIANT_ADD(vcpu, by_a_shutdown) { .by = BY_SHUTDOWN };
FIXTURE_VARIANT_ADD(vcpu, by_a_shutdown_in_smm) { .by = BY_SHUTDOWN, .smm = true };
FIXTURE_VARIANT_ADD(vcpu, by_its_vmm) { .by = BY_VMM };

static void reset(struct machine *m, const FIXTURE_VARIANT(vcpu) *variant)
{
	if (variant->running) {
		reset_while_running(m);
		return;
	}
	vcpu_run_complete_io(m->vcpu);
	if (variant->smm)
		vcpu_set_smm(m->vcpu, true);
	if (variant->by == BY_SHUTDOWN)
		die(m);
	else if (variant->by == BY_VMM)
		reset_by_vmm(m);
	else if (variant->smm)
		reset_after_smm(m);
	else
		send_init(m->vcpu);
	vcpu_run(m->vcpu);
}

/* Before 5.18, a vCPU that drops its roots still knows the MMIO page of then by its gva. */
static void skip_known_mmio_bug(void)
{
	__TEST_REQUIRE(kvm_is_tdp_enabled() || kernel_at_least(5, 18) ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: an MMIO page is remembered across a reset; --set known_bugs=1 makes it a failure");
}

KVM_TEST_F(vcpu, reset_forgets_its_page_tables)
{
	struct machine m;
	unsigned int i;

	__TEST_REQUIRE(variant->by != BY_SHUTDOWN || (host_is_amd() && kernel_at_least(6, 1)),
		       "needs SVM, and a kernel since 6.1, where a shutdown resets the vCPU");
	__TEST_REQUIRE(!variant->smm || kvm_has_cap(KVM_CAP_X86_SMM),
		       "needs KVM_CAP_X86_SMM: a kernel with CONFIG_KVM_SMM");
	skip_known_mmio_bug();
	machine_create(&m, variant->id);
	make_apic_known(m.vcpu);
	if (variant->smm)
		add_smm_memory(m.vm);
	for (i = 0; i < 3; i++) {
		m.box->stamp = 0x57a40000 + i;
		if (variant->by != BY_VMM)
			vcpu_set_steal_time(m.vcpu);
		expect_world(&m, WORLD_BEFORE);
		breadcrumb("round %u: reset", i);
		reset(&m, variant);
		vcpu_check_real_mode(m.vcpu);
		expect_world(&m, WORLD_AFTER);
	}
	kvm_vm_free(m.vm);
}

/* ---- in L2 ---- */

#define L2_GAP_OFF	SZ_2M
#define INTERCEPT_INIT	BIT_ULL(3)
#define NO_EXIT		0x5ee	/* an exit code that there is not */

static void touch_both(struct nested_cpu *cpu, uint64_t value)
{
	l1_write(cpu, NESTED_GPA + 8, value);
	l2_read(cpu, 0, NESTED_WORD(0));
	l2_read_gap(cpu, L2_GAP_OFF, FAR_GAP_GPA);
	l1_read(cpu, NESTED_GPA + 8, value);
}

/* INIT is an exit to L1 on VMX. L1 then holds further ones back, as VMX is on. */
static void expect_init_exit(struct nested_cpu *cpu, unsigned int round)
{
	nested_order(cpu, L2_READ, nested_addr(cpu->n, 0), 0, NESTED_WANT(L2_EXIT, L2_EXIT_OTHER));
	touch_both(cpu, round);
	nested_run(cpu, "round %u: after INIT in L2", round);
}

static void expect_reset_of_l2(struct nested_cpu *cpu, unsigned int round, struct vmcb *vmcb,
			       uint64_t intercept)
{
	const uint64_t want = intercept & INTERCEPT_INIT ? SVM_EXIT_INIT : NO_EXIT;

	vmcb->control.exit_code = NO_EXIT;
	vcpu_run(cpu->vcpu);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, vmcb->control.exit_code == want,
			   "INIT in L2, which L1 intercepts%s: want the exit code 0x%lx in L1's VMCB, got 0x%lx",
			   intercept ? "" : " not", want, vmcb->control.exit_code);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, !vcpu_is_in_l2(cpu->vcpu),
			   "KVM_GET_NESTED_STATE says that vCPU 0 is in L2 after its reset");
	vcpu_check_real_mode(cpu->vcpu);
	vcpu_run_complete_io(cpu->vcpu);
	nested_restart_l1(cpu);
	touch_both(cpu, round);
	nested_run(cpu, "round %u: L1 anew", round);
}

/* Before 6.1, KVM's reset of a vCPU in L2 loses the VMCB that it then uses. */
static void skip_known_l2_bug(void)
{
	__TEST_REQUIRE(!host_is_amd() || kernel_at_least(6, 1) || kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: INIT in L2 takes the host down; --set known_bugs=1 makes it do so");
}

static void reset_l2(bool paging, uint64_t intercept)
{
	struct nested_cpu *cpu;
	struct vmcb *vmcb = NULL;
	struct nested n;
	unsigned int i;

	skip_known_l2_bug();
	cpu = nested_create_with_ram(&n, 1, paging);
	vm_real_mode_init(n.vm);
	make_apic_known(cpu->vcpu);
	nested_map(&n, 0, NESTED_GPA, SZ_64K, PG_LEVEL_4K, NESTED_RWX);
	nested_map(&n, L2_GAP_OFF, FAR_GAP_GPA, SZ_64K, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < 3; i++) {
		touch_both(cpu, i);
		nested_run(cpu, "round %u: L1 and L2", i);
		if (n.amd) {
			vmcb = addr_gva2hva(n.vm, (gva_t)cpu->box->svm.vmcb);
			vmcb->control.intercept |= intercept;
		}
		l2_read(cpu, 0, NESTED_WORD(0));
		nested_run_in_l2(cpu, "round %u: L2", i);
		vcpu_run_complete_io(cpu->vcpu);
		breadcrumb("round %u: INIT in L2", i);
		send_ipi(cpu->vcpu, MSI_INIT);
		if (n.amd)
			expect_reset_of_l2(cpu, i, vmcb, intercept);
		else
			expect_init_exit(cpu, i);
	}
	nested_free(&n);
}

NESTED_VARIANTS(l2)

KVM_TEST_F(l2, ends_with_an_init)
{
	reset_l2(variant->paging, 0);
}

/* L1 gets an exit first, and the reset when it lets interrupts in. */
KVM_TEST_F(l2, ends_with_an_intercepted_init)
{
	__TEST_REQUIRE(host_is_amd(), "needs SVM, where to intercept INIT is L1's choice");
	reset_l2(variant->paging, INTERCEPT_INIT);
}

KVM_TEST_MAIN()
