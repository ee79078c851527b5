// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold: an event (an exception, INT n, NMI, interrupt) whose delivery
 * touches a gap, by the IDT, the GDT or the stack, ends in KVM_EXIT_INTERNAL_ERROR
 * and is not lost: once the VM is repaired it is delivered, once.
 *
 * What breaks it: emulating the instruction at RIP as if it had touched the gap;
 * an exit that says something else than what happened; a vCPU that cannot go on,
 * or goes on without the event.
 */
#include "gap_guest.h"
#include "internal_error.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(event_delivery_test, .needs = { .timeout = 10 });

#define ROUNDS		4
#define SOFT_INT_VECTOR	0x30
#define IRQ_VECTOR	0x40

/* ---- guest ---- */

GUEST_INSN(load, "", "mov (%rdi), %rax", "");
GUEST_INSN(ud, "", "ud2", "");
GUEST_INSN(int, "", "int $0x30", "");
GUEST_INSN(spin, "", "jmp guest_spin_insn", "");

/* ---- what may come ---- */

enum event { EVENT_UD, EVENT_INT, EVENT_PF, EVENT_NMI, EVENT_IRQ };

static const struct event_info {
	const char *name;
	char *entry, *frame_rip;	/* RIP in the frame of the event */
	char *rip;			/* where the vCPU stands */
	uint8_t vector;
	bool emulation_fails;		/* ... of the instruction at rip */
} events[] = {
	[EVENT_UD] = { "#UD", guest_ud, guest_ud_insn, guest_ud_insn,
		       UD_VECTOR, true },
	[EVENT_INT] = { "INT n", guest_int, guest_int_end, guest_int_insn,
			SOFT_INT_VECTOR, true },
	[EVENT_PF] = { "#PF", guest_load, guest_load_insn, guest_load_insn,
		       PF_VECTOR, false },
	[EVENT_NMI] = { "NMI", guest_spin, guest_spin_insn, guest_spin_insn,
			NMI_VECTOR, false },
	[EVENT_IRQ] = { "interrupt", guest_spin, guest_spin_insn,
			guest_spin_insn, IRQ_VECTOR, false },
};

enum place { PLACE_IDT, PLACE_GDT, PLACE_STACK };

/* What may come of it; more than one bit where kernels differ and none is wrong. */
#define OUT_DELIVERY_EV	BIT(0)
#define OUT_EMULATION	BIT(1)
#define OUT_SPINS	BIT(2)	/* KVM_RUN goes on until a signal comes */
#define OUT_SIMUL_EX	BIT(3)

/*
 * Since 6.14 KVM refuses to emulate anything while an event is being delivered.
 * Two holes are known there, seen in 7.2: a hit on a cached MMIO SPTE, stale or
 * not, takes the refusal for "try again" (npf_interception(), and by its code
 * handle_ept_misconfig()); and SVM looks at the event's type, which is 0 for an
 * interrupt.
 *
 * Before, only VMX looked, and only where an EPT misconfig says that there is a
 * cached MMIO SPTE. Everywhere else the instruction at RIP was emulated as if
 * it had caused the fault, with the event still to come: a failure where it
 * cannot be emulated, and the same fault again where it can.
 *
 * VMX with shadow paging intercepts the #PF, and one with a reserved bit, which
 * is a cached MMIO SPTE, must not come while another event is delivered. "The same
 * fault again" is such a one.
 */
static unsigned int allowed_outcomes(enum event event, bool cached)
{
	const bool fails = events[event].emulation_fails;

	if (!host_is_amd() && !kvm_is_tdp_enabled() &&
	    (cached || (!fails && !kernel_at_least(6, 14))))
		return OUT_SIMUL_EX;
	if (kernel_at_least(6, 14)) {
		if (cached || (host_is_amd() && event == EVENT_IRQ))
			return OUT_DELIVERY_EV | OUT_SPINS;
		return OUT_DELIVERY_EV;
	}
	if (!host_is_amd() && kvm_is_tdp_enabled() && (cached || !fails))
		return OUT_DELIVERY_EV;
	return fails ? OUT_EMULATION : OUT_SPINS;
}

/* ---- host ---- */

FIXTURE_VARIANT(event) {
	enum event event;
	enum place place;
};
KVM_FIXTURE(event)

FIXTURE_VARIANT_ADD(event, ud_idt) { EVENT_UD, PLACE_IDT };
FIXTURE_VARIANT_ADD(event, ud_gdt) { EVENT_UD, PLACE_GDT };
FIXTURE_VARIANT_ADD(event, ud_stack) { EVENT_UD, PLACE_STACK };
FIXTURE_VARIANT_ADD(event, int_idt) { EVENT_INT, PLACE_IDT };
FIXTURE_VARIANT_ADD(event, int_stack) { EVENT_INT, PLACE_STACK };
FIXTURE_VARIANT_ADD(event, page_fault_idt) { EVENT_PF, PLACE_IDT };
FIXTURE_VARIANT_ADD(event, page_fault_stack) { EVENT_PF, PLACE_STACK };
FIXTURE_VARIANT_ADD(event, nmi_idt) { EVENT_NMI, PLACE_IDT };
FIXTURE_VARIANT_ADD(event, nmi_stack) { EVENT_NMI, PLACE_STACK };
FIXTURE_VARIANT_ADD(event, irq_idt) { EVENT_IRQ, PLACE_IDT };

/* Leaves an MMIO SPTE of the gap behind: the event then finds it cached. */
static void touch_gap(struct gap_guest *g, int gap)
{
	struct ucall uc;

	vm_set_guest_job(g->vm, &(struct guest_job){
		.entry = (gva_t)guest_load, .gva = g->gva[gap],
	});
	vcpu_expect_mmio_read(g->vcpu, gap_gpa(gap), 8, ~g->round);
	gap_guest_expect_vector(g, 0, &uc);
}

/* The stack is not moved here, but by the guest's job. */
static void move_table(struct gap_guest *g, enum place place, gva_t gva)
{
	struct kvm_sregs sregs;

	vcpu_sregs_get(g->vcpu, &sregs);
	if (place == PLACE_IDT)
		sregs.idt.base = gva ?: g->vm->idt;
	else if (place == PLACE_GDT)
		sregs.gdt.base = gva ?: g->vm->gdt;
	vcpu_sregs_set(g->vcpu, &sregs);
}

/* What does not come of the instruction itself comes while the vCPU is there. */
static void raise_event(struct gap_guest *g, enum event event)
{
	struct kvm_vcpu_events state;

	if (event == EVENT_NMI)
		vcpu_ioctl(g->vcpu, KVM_NMI, NULL);
	if (event != EVENT_IRQ)
		return;
	vcpu_ioctl(g->vcpu, KVM_GET_VCPU_EVENTS, &state);
	state.interrupt.injected = 1;
	state.interrupt.nr = IRQ_VECTOR;
	state.interrupt.soft = 0;
	vcpu_ioctl(g->vcpu, KVM_SET_VCPU_EVENTS, &state);
}

/* The instruction is a jump to itself. */
static void reach_insn(struct gap_guest *g, gva_t rip)
{
	struct kvm_regs regs;

	do {
		TEST_ASSERT_ERRNO(__vcpu_run_for(g->vcpu, 5), EINTR,
				  "KVM_RUN of a loop");
		vcpu_regs_get(g->vcpu, &regs);
	} while (regs.rip != rip);
}

/* On a busy host, the first signals may come before the guest is there. */
static bool spins_at(struct gap_guest *g, gva_t rip)
{
	struct kvm_regs regs;

	do {
		if (vcpu_run_poisoned_for(g->vcpu, 50))
			return false;
		vcpu_regs_get(g->vcpu, &regs);
	} while (regs.rip != rip);
	return true;
}

/* False when the vCPU spun until a signal came. */
static bool run_event(struct gap_guest *g, enum event event, bool cached, int gap)
{
	const unsigned int allowed = allowed_outcomes(event, cached);
	const struct event_info *info = &events[event];

	if (!(allowed & OUT_SPINS))
		vcpu_run_poisoned(g->vcpu);
	else if (spins_at(g, (gva_t)info->rip))
		return false;
	vcpu_check_internal_error(g->vcpu, &(struct internal_error){
		.suberror = allowed & OUT_SIMUL_EX ? KVM_INTERNAL_ERROR_SIMUL_EX :
			    allowed & OUT_EMULATION ? KVM_INTERNAL_ERROR_EMULATION :
						      KVM_INTERNAL_ERROR_DELIVERY_EV,
		.rip = (gva_t)info->rip, .insn_size = 2, .vector = info->vector,
		.page_gpa = gap_gpa(gap), .page_gva = g->gva[gap] });
	return true;
}

/* The event is still to come: it is delivered as soon as it can be. */
static void repair_delivery(struct gap_guest *g, enum place place, int gap,
			    bool with_ram)
{
	const gva_t table = place == PLACE_IDT ? g->vm->idt : g->vm->gdt;
	struct kvm_regs regs;

	vcpu_regs_get(g->vcpu, &regs);
	if (with_ram) {
		memcpy(g->ram[gap].hva, addr_gva2hva(g->vm, table), PAGE_SIZE);
		gap_close(g, gap);
		/*
		 * The first hole: a stale MMIO SPTE is not even looked at, nor
		 * is it by VMX before.
		 */
		if (kernel_at_least(6, 14) || !host_is_amd())
			vm_mem_region_reload(g->vm, GAP_RAM_SLOT + gap);
	} else {
		move_table(g, place, 0);
		regs.rsp = regs.r8;
	}
	/* Which drops the #UD of a failed emulation, but not the event. */
	vcpu_regs_set(g->vcpu, &regs);
}

static void event_round(struct gap_guest *g, const FIXTURE_VARIANT(event) *variant,
			bool cached, bool with_ram)
{
	const struct event_info *info = &events[variant->event];
	const int gap = g->round & 1;
	struct ucall uc;

	/* Which drops all SPTEs, those of gaps too. */
	vm_mem_region_reload(g->vm, GAP_RAM_SLOT + gap);
	if (cached)
		touch_gap(g, gap);
	vm_set_guest_job(g->vm, &(struct guest_job){
		.entry = (gva_t)info->entry, .frame_rip = (gva_t)info->frame_rip,
		.gva = 0x1000,	/* for #PF: nothing is mapped there */
		.stack = variant->place == PLACE_STACK ? g->gva[gap] + PAGE_SIZE : 0,
	});
	if (variant->event >= EVENT_NMI)
		reach_insn(g, (gva_t)info->rip);
	move_table(g, variant->place, g->gva[gap]);
	raise_event(g, variant->event);
	breadcrumb("round %u: %s through gap 0x%lx, %scached", g->round,
		   info->name, gap_gpa(gap), cached ? "" : "not ");
	if (!run_event(g, variant->event, cached, gap) && g->round < 2)
		pr_info("%s through a gap, %scached: KVM_RUN spins until a signal",
			info->name, cached ? "" : "not ");
	repair_delivery(g, variant->place, gap, with_ram);
	gap_guest_expect_vector(g, info->vector, &uc);
	move_table(g, variant->place, 0);
	if (with_ram)
		gap_open(g, gap);
}

KVM_TEST_F(event, ends_in_error_and_is_delivered_later)
{
	struct gap_guest g;

	gap_guest_create(&g, false);
	for (g.round = 0; g.round < ROUNDS; g.round++)
		event_round(&g, variant, g.round & 1, g.round & 2);
}

/* ---- a stack that is a page table ---- */

/* By a root whose table of this level has entries in front and a stack behind. */
#define TABLE_STACK_GVA	(210UL << 39)
#define NR_STACK_EVENTS	12

/* What happens with the stack at @sp; returns the vector. */
#define event_on_stack(insn, sp)						\
({										\
	uint64_t __ec;								\
	uint8_t __vector;							\
										\
	asm volatile("mov %%rsp, %%rbx\n\tmov %[stack], %%rsp\n\t"		\
		     __KVM_ASM_SAFE_BEGIN insn __KVM_ASM_SAFE_END		\
		     "mov %%rbx, %%rsp"						\
		     : [vector] "=&q"(__vector), [ec] "=&r"(__ec)		\
		     : [magic] "i"(KVM_EXCEPTION_MAGIC), [stack] "r"(sp),	\
		       [none] "r"(0x1000UL)					\
		     : "rbx", "r9", "r10", "r11", "memory", "cc");		\
	__vector;								\
})

static void guest_events_on_table(gva_t stack, gpa_t root)
{
	const uint64_t own = read_cr3();
	unsigned int i, vector, want;

	for (i = 0; i < NR_STACK_EVENTS; i++) {
		/* It is in use as a table, and no store to it may go unseen. */
		write_cr3(root);
		GUEST_ASSERT(guest_read64(TABLE_STACK_GVA) == 0x5ac);
		write_cr3(own);
		switch (i % 4) {
		case 0:
			vector = event_on_stack("movq $0, (%[none])", stack);
			want = PF_VECTOR;
			break;
		case 1:
			vector = event_on_stack("mov (%[none]), %%rbx", stack);
			want = PF_VECTOR;
			break;
		case 2:
			vector = event_on_stack("ud2", stack);
			want = UD_VECTOR;
			break;
		default:
			vector = event_on_stack("mov %[none], %%cr4", stack);
			want = GP_VECTOR;
		}
		__GUEST_ASSERT(vector == want,
			       "round %u: vector %u, want %u, with a stack that is a page table",
			       i, vector, want);
	}
	GUEST_DONE();
}

/*
 * KVM write-protects tables that it shadows, and emulates what stores there; the delivery
 * of an event is no instruction. It must become a page of data.
 */
KVM_TEST(stack_that_is_a_page_table)
{
	struct kvm_vcpu *vcpu;
	gpa_t root, table, data;
	struct kvm_vm *vm;
	uint64_t *entry;
	gva_t stack;

	vm = vm_create_with_one_vcpu(&vcpu, guest_events_on_table);
	data = vm_phy_pages_alloc(vm, 1);
	*(uint64_t *)addr_gpa2hva(vm, data) = 0x5ac;
	virt_pg_map(vm, TABLE_STACK_GVA, data);
	table = align_down(vm_entry_gpa(vm, TABLE_STACK_GVA, PG_LEVEL_1G), PAGE_SIZE);
	stack = vm_map_gpa(vm, table, PAGE_SIZE) + PAGE_SIZE;
	/* A root of its own, so that the other one stays good, whatever the stack is. */
	root = virt_copy_root(vm, PG_LEVEL_512G);
	entry = addr_gpa2hva(vm, vm_entry_gpa(vm, TABLE_STACK_GVA, PG_LEVEL_512G));
	*entry = 0;
	vcpu_args_set(vcpu, 2, stack, root);
	breadcrumb("events with a stack that is a page table");
	vcpu_expect_done(vcpu);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
