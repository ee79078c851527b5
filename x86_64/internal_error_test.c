// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold: an instruction that is in a gap, or that KVM cannot emulate
 * on a gap, ends in KVM_EXIT_INTERNAL_ERROR with the bytes of the instruction,
 * and so does an event whose delivery touches a gap. The vCPU stands at that
 * instruction, can be inspected and repaired, and runs on. A guest's user mode
 * gets #UD instead, unless the VMM asked for every failure.
 *
 * What breaks it: retrying what can never succeed, so that KVM_RUN does not
 * come back; an exit that says something else than what happened; state that is
 * lost or made up on the way, which shows once the VM is repaired.
 */
#include "dying.h"
#include "guest_job.h"
#include "internal_error.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(internal_error_test, .needs = { .timeout = 10 });

#define GAP_GPA		0x80000000UL
#define GAP_STRIDE	0x200000UL	/* the gaps' leafs are in different tables */
#define RAM_SLOT	1		/* + gap: the page below each gap */
#define GAP_SLOT	3		/* + gap: put there to close the gap */
#define ROUNDS		8
#define EVENT_ROUNDS	4
#define MAGIC_RESULT	0x12345678U
#define SOFT_INT_VECTOR	0x30
#define IRQ_VECTOR	0x40

/* ---- guest ---- */

/* Four that KVM's emulator does not know, from 5.10 to 7.2. */
GUEST_INSN(crc32, "xor %eax, %eax", "crc32l (%rdi), %eax", "");
GUEST_INSN(x87_load, "fninit", "fldl (%rdi)",
	   "push %rax\n\tfistpll (%rsp)\n\tpop %rax");
GUEST_INSN(x87_store, "fninit\n\tfld1", "fstpl (%rdi)", "");
/* This one it decodes and reads the operand of; then it finds it too wide. */
GUEST_INSN(cmpxchg16b, "xor %eax, %eax\n\txor %edx, %edx",
	   "lock cmpxchg16b (%rdi)", "");

GUEST_INSN(load, "", "mov (%rdi), %rax", "");
GUEST_INSN(ud, "", "ud2", "");
GUEST_INSN(int, "", "int $0x30", "");
GUEST_INSN(spin, "", "jmp guest_spin_insn", "");

/* mov $MAGIC_RESULT, %eax; xor %r9d, %r9d; jmp *%r11 */
static const uint8_t gap_code[] = {
	0xb8, 0x78, 0x56, 0x34, 0x12, 0x45, 0x31, 0xc9, 0x41, 0xff, 0xe3,
};

/* How much of gap_code is in the RAM below the gap when it straddles. */
#define STRADDLE	3

/* ---- the instructions as the host sees them ---- */

enum insn {
	INSN_FETCH,		/* the instruction itself is in the gap */
	INSN_FETCH_STRADDLE,	/* its last bytes are */
	INSN_CRC32,
	INSN_X87_LOAD,
	INSN_X87_STORE,
	INSN_CMPXCHG16B,
};

static const struct insn_info {
	const char *name;
	char *entry, *insn, *end;
	unsigned int mmio_reads;	/* of 8 bytes each, before it fails */
	uint64_t operand;		/* in the RAM that closes the gap */
	uint64_t result;		/* in rax, there */
	uint64_t stored;		/* in that RAM, afterwards */
} insns[] = {
	[INSN_FETCH] = { .name = "fetch", .result = MAGIC_RESULT },
	[INSN_FETCH_STRADDLE] = { .name = "straddling fetch", .result = MAGIC_RESULT },
	/* The CRC-32C, from 0, of four bytes 0xff. */
	[INSN_CRC32] = { "crc32", guest_crc32, guest_crc32_insn, guest_crc32_end,
			 .operand = 0xffffffff, .result = 0xb798b438,
			 .stored = 0xffffffff },
	[INSN_X87_LOAD] = { "fld", guest_x87_load, guest_x87_load_insn,
			    guest_x87_load_end,
			    .operand = 0x4045000000000000, /* 42.0 */
			    .result = 42, .stored = 0x4045000000000000 },
	[INSN_X87_STORE] = { "fstp", guest_x87_store, guest_x87_store_insn,
			     guest_x87_store_end, .operand = 0x1111,
			     .stored = 0x3ff0000000000000 /* 1.0 */ },
	[INSN_CMPXCHG16B] = { "cmpxchg16b", guest_cmpxchg16b,
			      guest_cmpxchg16b_insn, guest_cmpxchg16b_end,
			      .mmio_reads = 2, .operand = 0x77665544,
			      .result = 0x77665544, .stored = 0x77665544 },
};

/* ---- host ---- */

struct world {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct backing_mem ram[2];	/* closes the gap, when it is to be closed */
	gva_t gva[2];			/* of the gaps; a page of RAM is below each */
	bool cap;
	bool ro_slot;			/* the "gap" is a slot that is read-only */
	unsigned int round;
};

static gpa_t gap_gpa(int gap)
{
	return GAP_GPA + gap * GAP_STRIDE;
}

static void world_init(struct world *w, bool cap)
{
	int i;

	memset(w, 0, sizeof(*w));
	w->cap = cap;
	__TEST_REQUIRE(!cap || kvm_has_cap(KVM_CAP_EXIT_ON_EMULATION_FAILURE),
		       "needs KVM_CAP_EXIT_ON_EMULATION_FAILURE, which this kernel lacks");
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_job_loop);
	if (cap)
		vm_enable_cap(w->vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
	for (i = 0; i < 2; i++) {
		vm_userspace_mem_region_add(w->vm, VM_MEM_SRC_ANONYMOUS,
					    gap_gpa(i) - PAGE_SIZE, RAM_SLOT + i,
					    1, 0);
		memcpy((char *)addr_gpa2hva(w->vm, gap_gpa(i) - PAGE_SIZE) +
		       PAGE_SIZE - STRADDLE, gap_code, STRADDLE);
		w->gva[i] = vm_map_gpa(w->vm, gap_gpa(i) - PAGE_SIZE,
				       2 * PAGE_SIZE) + PAGE_SIZE;
		backing_mem_alloc(&w->ram[i], VM_MEM_SRC_ANONYMOUS, PAGE_SIZE,
				  gap_gpa(i));
	}
}

static void gap_slot_add(struct world *w, int gap, uint32_t flags)
{
	vm_mem_region_add_backing(w->vm, &w->ram[gap], w->ram[gap].hva,
				  gap_gpa(gap), GAP_SLOT + gap, 1, flags);
}

static void close_gap(struct world *w, int gap)
{
	if (w->ro_slot)
		vm_mem_region_delete(w->vm, GAP_SLOT + gap);
	gap_slot_add(w, gap, 0);
}

static void open_gap(struct world *w, int gap)
{
	vm_mem_region_delete(w->vm, GAP_SLOT + gap);
	if (w->ro_slot)
		gap_slot_add(w, gap, KVM_MEM_READONLY);
}

static gva_t insn_rip(struct world *w, enum insn insn, int gap)
{
	if (insn == INSN_FETCH)
		return w->gva[gap];
	if (insn == INSN_FETCH_STRADDLE)
		return w->gva[gap] - STRADDLE;
	return (gva_t)insns[insn].insn;
}

/* Gives the guest the job, and its RAM what the job finds once the gap is closed. */
static void set_job(struct world *w, enum insn insn, int gap)
{
	const struct insn_info *info = &insns[insn];
	gva_t rip = insn_rip(w, insn, gap);
	uint64_t *ram = w->ram[gap].hva;

	memset(ram, 0, PAGE_SIZE);
	if (insn == INSN_FETCH)
		memcpy(ram, gap_code, sizeof(gap_code));
	else if (insn == INSN_FETCH_STRADDLE)
		memcpy(ram, gap_code + STRADDLE, sizeof(gap_code) - STRADDLE);
	else
		ram[0] = info->operand;
	vm_set_guest_job(w->vm, &(struct guest_job){
		.entry = info->entry ? (gva_t)info->entry : rip,
		.gva = w->gva[gap],
		.frame_rip = rip,
	});
}

/*
 * Without the capability a #UD is queued as well, for the VMM that goes on as
 * if nothing had been; with it the instruction is as if it had never started.
 */
static void check_queued_exception(struct world *w)
{
	struct kvm_vcpu_events events;
	bool queued;

	vcpu_ioctl(w->vcpu, KVM_GET_VCPU_EVENTS, &events);
	queued = events.exception.injected || events.exception.pending;
	TEST_ASSERT(queued == !w->cap &&
		    (!queued || events.exception.nr == UD_VECTOR),
		    "want %s, got %s, vector %u", w->cap ? "no exception queued" :
		    "#UD queued", queued ? "one queued" : "none",
		    events.exception.nr);
}

/* Runs the job; the operand is read as often as KVM reads it before it gives up. */
static void run_job(struct world *w, enum insn insn, int gap)
{
	gpa_t gpa = gap_gpa(gap);
	unsigned int i;

	breadcrumb("round %u: %s at gap 0x%lx", w->round, insns[insn].name, gpa);
	vcpu_run_poisoned(w->vcpu);
	for (i = 0; i < insns[insn].mmio_reads; i++) {
		vcpu_check_mmio(w->vcpu, &(struct mmio_access){
			.gpa = gpa + i * 8, .len = 8, .data = ~0ULL });
		vcpu_run_poisoned(w->vcpu);
	}
}

static void expect_failure(struct world *w, enum insn insn, int gap)
{
	const struct insn_info *info = &insns[insn];
	struct kvm_regs regs;

	run_job(w, insn, gap);
	vcpu_check_internal_error(w->vcpu, &(struct internal_error){
		.suberror = KVM_INTERNAL_ERROR_EMULATION,
		.rip = insn_rip(w, insn, gap),
		.insn_size = insn == INSN_FETCH ? 0 : insn == INSN_FETCH_STRADDLE ?
			     STRADDLE : info->end - info->insn,
		.exit_on_failure = w->cap,
		.after_mmio = info->mmio_reads });
	vcpu_regs_get(w->vcpu, &regs);
	TEST_ASSERT_EQ((gva_t)regs.rdi, w->gva[gap]);
}

static void expect_vector(struct world *w, uint64_t vector, struct ucall *uc)
{
	vcpu_run_to_sync(w->vcpu, uc);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, uc->args[0] == vector,
			   "want vector %lu in the guest, got %lu (0 is none)",
			   vector, uc->args[0]);
}

/* The VMM steps over the instruction, as if it had done its work. */
static void repair_by_skipping(struct world *w, enum insn insn)
{
	struct kvm_regs regs;
	struct ucall uc;

	vcpu_regs_get(w->vcpu, &regs);
	if (insns[insn].end) {
		regs.rip = (gva_t)insns[insn].end;
	} else {
		regs.rip = regs.r11;
		regs.r9 = 0;
	}
	vcpu_regs_set(w->vcpu, &regs);
	expect_vector(w, 0, &uc);
}

/* RAM comes under the instruction, or its operand, and it is run again. */
static void repair_with_ram(struct world *w, enum insn insn, int gap)
{
	const struct insn_info *info = &insns[insn];
	uint64_t *ram = w->ram[gap].hva;
	bool fetch = !info->insn;
	struct kvm_regs regs;
	struct ucall uc;

	TEST_ASSERT(fetch || *ram == info->operand, "%s failed, but wrote 0x%lx",
		    info->name, *ram);
	close_gap(w, gap);
	/* Drops the #UD that may be pending. */
	vcpu_regs_get(w->vcpu, &regs);
	vcpu_regs_set(w->vcpu, &regs);
	expect_vector(w, 0, &uc);
	TEST_ASSERT(insn == INSN_X87_STORE || uc.args[1] == info->result,
		    "%s from RAM gave 0x%lx, want 0x%lx", info->name, uc.args[1],
		    info->result);
	TEST_ASSERT(fetch || *ram == info->stored,
		    "after %s the RAM holds 0x%lx, want 0x%lx", info->name, *ram,
		    info->stored);
	open_gap(w, gap);
}

/* ---- cases: instructions ---- */

FIXTURE_VARIANT(insn) {
	enum insn insn;
	bool cap;
	bool ro_pte;	/* the guest's page tables write-protect the gap */
	bool ro_slot;
};
KVM_FIXTURE(insn)

#define INSN_VARIANTS(name, ...)					\
	FIXTURE_VARIANT_ADD(insn, name) { __VA_ARGS__ };		\
	FIXTURE_VARIANT_ADD(insn, name##_exit_on_failure) {		\
		.cap = true, __VA_ARGS__				\
	}

INSN_VARIANTS(fetch, .insn = INSN_FETCH);
INSN_VARIANTS(fetch_straddling, .insn = INSN_FETCH_STRADDLE);
INSN_VARIANTS(crc32, .insn = INSN_CRC32);
/*
 * Shadow paging asks the guest's page tables whether a write could be retried;
 * a read that must not be retried at all is told by that.
 */
INSN_VARIANTS(crc32_read_only_pte, .insn = INSN_CRC32, .ro_pte = true);
INSN_VARIANTS(x87_load, .insn = INSN_X87_LOAD);
INSN_VARIANTS(x87_store, .insn = INSN_X87_STORE);
INSN_VARIANTS(x87_store_read_only_slot, .insn = INSN_X87_STORE, .ro_slot = true);
INSN_VARIANTS(cmpxchg16b, .insn = INSN_CMPXCHG16B);

static void insn_init(struct world *w, const FIXTURE_VARIANT(insn) *variant)
{
	const struct kvm_cpuid_entry2 *leaf =
		get_cpuid_entry(kvm_get_supported_cpuid(), 1, 0);
	int i;

	if (variant->insn == INSN_CRC32)
		__TEST_REQUIRE(leaf->ecx & BIT(20), "needs SSE4.2 in the guest");
	if (variant->insn == INSN_CMPXCHG16B)
		__TEST_REQUIRE(leaf->ecx & BIT(13), "needs CMPXCHG16B in the guest");
	world_init(w, variant->cap);
	w->ro_slot = variant->ro_slot;
	for (i = 0; i < 2; i++) {
		if (variant->ro_slot)
			gap_slot_add(w, i, KVM_MEM_READONLY);
		if (variant->ro_pte)
			*vm_get_pte(w->vm, w->gva[i], NULL) &= ~PTE_WRITABLE_MASK;
	}
}

KVM_TEST_F(insn, exits_and_can_be_repaired)
{
	struct world w;

	insn_init(&w, variant);
	for (w.round = 0; w.round < ROUNDS; w.round++) {
		int gap = w.round & 1;

		set_job(&w, variant->insn, gap);
		expect_failure(&w, variant->insn, gap);
		check_queued_exception(&w);
		if (w.round & 2)
			repair_with_ram(&w, variant->insn, gap);
		else
			repair_by_skipping(&w, variant->insn);
	}
	/* The VM goes down as it failed. */
	set_job(&w, variant->insn, 0);
	expect_failure(&w, variant->insn, 0);
}

/* KVM_RUN again, with nothing repaired: another try, or the guest takes its #UD. */
KVM_TEST_F(insn, runs_again_unrepaired)
{
	struct ucall uc;
	struct world w;

	insn_init(&w, variant);
	for (w.round = 0; w.round < ROUNDS; w.round++) {
		set_job(&w, variant->insn, 0);
		expect_failure(&w, variant->insn, 0);
		if (!variant->cap)
			expect_vector(&w, UD_VECTOR, &uc);
	}
}

KVM_TEST_F(insn, user_mode_gets_ud)
{
	struct ucall uc;
	struct world w;

	insn_init(&w, variant);
	vcpu_enter_user_mode(w.vcpu);
	for (w.round = 0; w.round < ROUNDS; w.round++) {
		int gap = w.round & 1;

		set_job(&w, variant->insn, gap);
		if (variant->cap) {
			expect_failure(&w, variant->insn, gap);
			repair_by_skipping(&w, variant->insn);
			continue;
		}
		run_job(&w, variant->insn, gap);
		if (get_ucall(w.vcpu, &uc) != UCALL_SYNC || uc.args[0] != UD_VECTOR)
			vcpu_unexpected_exit(w.vcpu, "#UD in the guest's user mode");
	}
}

/* ---- cases: events ---- */

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
static void touch_gap(struct world *w, int gap)
{
	struct ucall uc;

	vm_set_guest_job(w->vm, &(struct guest_job){
		.entry = (gva_t)guest_load, .gva = w->gva[gap],
	});
	vcpu_expect_mmio_read(w->vcpu, gap_gpa(gap), 8, ~w->round);
	expect_vector(w, 0, &uc);
}

/* The stack is not moved here, but by the guest's job. */
static void move_table(struct world *w, enum place place, gva_t gva)
{
	struct kvm_sregs sregs;

	vcpu_sregs_get(w->vcpu, &sregs);
	if (place == PLACE_IDT)
		sregs.idt.base = gva ?: w->vm->idt;
	else if (place == PLACE_GDT)
		sregs.gdt.base = gva ?: w->vm->gdt;
	vcpu_sregs_set(w->vcpu, &sregs);
}

/* What does not come of the instruction itself comes while the vCPU is there. */
static void raise_event(struct world *w, enum event event)
{
	struct kvm_vcpu_events state;

	if (event == EVENT_NMI)
		vcpu_ioctl(w->vcpu, KVM_NMI, NULL);
	if (event != EVENT_IRQ)
		return;
	vcpu_ioctl(w->vcpu, KVM_GET_VCPU_EVENTS, &state);
	state.interrupt.injected = 1;
	state.interrupt.nr = IRQ_VECTOR;
	state.interrupt.soft = 0;
	vcpu_ioctl(w->vcpu, KVM_SET_VCPU_EVENTS, &state);
}

/* The instruction is a jump to itself. */
static void reach_insn(struct world *w, gva_t rip)
{
	struct kvm_regs regs;

	do {
		TEST_ASSERT_ERRNO(__vcpu_run_for(w->vcpu, 5), EINTR,
				  "KVM_RUN of a loop");
		vcpu_regs_get(w->vcpu, &regs);
	} while (regs.rip != rip);
}

/* On a busy host, the first signals may come before the guest is there. */
static bool spins_at(struct world *w, gva_t rip)
{
	struct kvm_regs regs;

	do {
		if (vcpu_run_poisoned_for(w->vcpu, 50))
			return false;
		vcpu_regs_get(w->vcpu, &regs);
	} while (regs.rip != rip);
	return true;
}

/* False when the vCPU spun until a signal came. */
static bool run_event(struct world *w, enum event event, bool cached, int gap)
{
	const unsigned int allowed = allowed_outcomes(event, cached);
	const struct event_info *info = &events[event];

	if (!(allowed & OUT_SPINS))
		vcpu_run_poisoned(w->vcpu);
	else if (spins_at(w, (gva_t)info->rip))
		return false;
	vcpu_check_internal_error(w->vcpu, &(struct internal_error){
		.suberror = allowed & OUT_SIMUL_EX ? KVM_INTERNAL_ERROR_SIMUL_EX :
			    allowed & OUT_EMULATION ? KVM_INTERNAL_ERROR_EMULATION :
						      KVM_INTERNAL_ERROR_DELIVERY_EV,
		.rip = (gva_t)info->rip, .insn_size = 2, .vector = info->vector,
		.page_gpa = gap_gpa(gap), .page_gva = w->gva[gap] });
	return true;
}

/* The event is still to come: it is delivered as soon as it can be. */
static void repair_delivery(struct world *w, enum place place, int gap,
			    bool with_ram)
{
	const gva_t table = place == PLACE_IDT ? w->vm->idt : w->vm->gdt;
	struct kvm_regs regs;

	vcpu_regs_get(w->vcpu, &regs);
	if (with_ram) {
		memcpy(w->ram[gap].hva, addr_gva2hva(w->vm, table), PAGE_SIZE);
		close_gap(w, gap);
		/*
		 * The first hole: a stale MMIO SPTE is not even looked at, nor
		 * is it by VMX before.
		 */
		if (kernel_at_least(6, 14) || !host_is_amd())
			vm_mem_region_reload(w->vm, RAM_SLOT + gap);
	} else {
		move_table(w, place, 0);
		regs.rsp = regs.r8;
	}
	/* Which drops the #UD of a failed emulation, but not the event. */
	vcpu_regs_set(w->vcpu, &regs);
}

static void event_round(struct world *w, const FIXTURE_VARIANT(event) *variant,
			bool cached, bool with_ram)
{
	const struct event_info *info = &events[variant->event];
	const int gap = w->round & 1;
	struct ucall uc;

	/* Which drops all SPTEs, those of gaps too. */
	vm_mem_region_reload(w->vm, RAM_SLOT + gap);
	if (cached)
		touch_gap(w, gap);
	vm_set_guest_job(w->vm, &(struct guest_job){
		.entry = (gva_t)info->entry, .frame_rip = (gva_t)info->frame_rip,
		.gva = 0x1000,	/* for #PF: nothing is mapped there */
		.stack = variant->place == PLACE_STACK ? w->gva[gap] + PAGE_SIZE : 0,
	});
	if (variant->event >= EVENT_NMI)
		reach_insn(w, (gva_t)info->rip);
	move_table(w, variant->place, w->gva[gap]);
	raise_event(w, variant->event);
	breadcrumb("round %u: %s through gap 0x%lx, %scached", w->round,
		   info->name, gap_gpa(gap), cached ? "" : "not ");
	if (!run_event(w, variant->event, cached, gap) && w->round < 2)
		pr_info("%s through a gap, %scached: KVM_RUN spins until a signal",
			info->name, cached ? "" : "not ");
	repair_delivery(w, variant->place, gap, with_ram);
	expect_vector(w, info->vector, &uc);
	move_table(w, variant->place, 0);
	if (with_ram)
		open_gap(w, gap);
}

KVM_TEST_F(event, ends_in_error_and_is_delivered_later)
{
	struct world w;

	world_init(&w, false);
	for (w.round = 0; w.round < EVENT_ROUNDS; w.round++)
		event_round(&w, variant, w.round & 1, w.round & 2);
}

/* ---- cases: the whole VM ---- */

/* 1: incq (%rdi); jmp 1b */
static const uint8_t counting_code[] = { 0x48, 0xff, 0x07, 0xeb, 0xfb };

static uint64_t guest_counter;

static void run_counting_code(struct world *w, struct kvm_vcpu *vcpus[2])
{
	int i;

	write_guest_global(w->vm, guest_counter, 0);
	vm_set_guest_job(w->vm, &(struct guest_job){
		.entry = w->gva[0], .gva = (gva_t)&guest_counter,
	});
	memcpy(w->ram[0].hva, counting_code, sizeof(counting_code));
	close_gap(w, 0);
	for (i = 0; i < 2; i++)
		vcpu_thread_start(vcpus[i], vcpu_run_poisoned);
	while (read_guest_global(w->vm, guest_counter) < 1000)
		usleep(100);
	breadcrumb("round %u: delete the code", w->round);
	open_gap(w, 0);
	for (i = 0; i < 2; i++)
		vcpu_thread_join(vcpus[i]);
}

static void check_code_is_gone(struct world *w, struct kvm_vcpu *vcpu)
{
	struct kvm_regs regs;

	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT(regs.rip == w->gva[0] || regs.rip == w->gva[0] + 3,
		    "vCPU %u stands at 0x%llx, its code is at 0x%lx", vcpu->id,
		    regs.rip, w->gva[0]);
	vcpu_check_internal_error(vcpu, &(struct internal_error){
		.suberror = KVM_INTERNAL_ERROR_EMULATION, .rip = regs.rip });
	regs.rip = w->gva[0];
	vcpu_regs_set(vcpu, &regs);
}

/* Each vCPU finds out by itself that what it executes is no memory any more. */
KVM_TEST(code_deleted_under_two_vcpus)
{
	struct kvm_vcpu *vcpus[2];
	struct world w;
	struct ucall uc;
	int i;

	world_init(&w, false);
	vcpus[0] = w.vcpu;
	vcpus[1] = vm_vcpu_add(w.vm, 1, guest_job_loop);
	for (w.round = 0; w.round < ROUNDS; w.round++) {
		run_counting_code(&w, vcpus);
		for (i = 0; i < 2; i++)
			check_code_is_gone(&w, vcpus[i]);
		memcpy(w.ram[0].hva, gap_code, sizeof(gap_code));
		close_gap(&w, 0);
		for (i = 0; i < 2; i++) {
			vcpu_run_to_sync(vcpus[i], &uc);
			TEST_ASSERT_EQ(uc.args[1], (uint64_t)MAGIC_RESULT);
		}
		open_gap(&w, 0);
	}
}

/* A failure on one vCPU, a read that was not answered on the other. */
static struct kvm_vm *failed_vm(void *arg)
{
	struct kvm_vcpu *other;
	struct world w;

	(void)arg;
	world_init(&w, false);
	other = vm_vcpu_add(w.vm, 1, guest_job_loop);
	set_job(&w, INSN_FETCH, 0);
	expect_failure(&w, INSN_FETCH, 0);
	vm_set_guest_job(w.vm, &(struct guest_job){
		.entry = (gva_t)guest_load, .gva = w.gva[1],
	});
	vcpu_expect_mmio_read(other, gap_gpa(1), 8, 0);
	return w.vm;
}

KVM_TEST(dies_unrepaired)
{
	enum vm_death how;

	for (how = 0; how < NR_VM_DEATHS; how++)
		vm_die_in_child(how, failed_vm, NULL);
}

/* ---- stores to page tables ---- */

#define SELF_GVA	0x300000000000UL
#define OTHER_GVA	0x400000000000UL

/* Maps the table of PDEs on the way to @of at @gva. */
static void map_table(struct kvm_vm *vm, gva_t gva, gva_t of)
{
	gpa_t table = align_down(vm_entry_gpa(vm, of, PG_LEVEL_2M), PAGE_SIZE);
	uint64_t *pte;
	int level;

	pte = vm_get_pte(vm, gva, &level);
	*pte = (*pte & ~PHYSICAL_PAGE_MASK) | table;
}

static void set_store(struct world *w, gva_t gva)
{
	vm_set_guest_job(w->vm, &(struct guest_job){
		.entry = (gva_t)guest_x87_store,
		.gva = gva,
		.frame_rip = (gva_t)guest_x87_store_insn,
	});
}

/*
 * Shadow paging keeps upper tables write-protected and emulates what is stored there.
 * Where it cannot, it lets the guest try again without that shadow page; but not if
 * the try needs the very same one.
 */
KVM_TEST(store_to_a_table_that_it_goes_through)
{
	const size_t last = PAGE_SIZE - 8;
	unsigned int round;
	uint64_t *stored;
	struct ucall uc;
	struct world w;

	__TEST_REQUIRE(!kvm_is_tdp_enabled(), "needs shadow paging: kvm_amd.npt=0 or kvm_intel.ept=0");
	world_init(&w, false);
	virt_pg_map(w.vm, SELF_GVA, gap_gpa(0) - PAGE_SIZE);
	virt_pg_map(w.vm, OTHER_GVA, gap_gpa(0) - PAGE_SIZE);
	map_table(w.vm, OTHER_GVA, SELF_GVA);
	map_table(w.vm, SELF_GVA, SELF_GVA);
	stored = addr_gva2hva(w.vm, SELF_GVA + last);
	for (round = 0; round < ROUNDS; round++) {
		*stored = 0;
		breadcrumb("round %u: store to another table", round);
		set_store(&w, OTHER_GVA + last);
		expect_vector(&w, 0, &uc);
		TEST_ASSERT(*stored == insns[INSN_X87_STORE].stored, "the guest stored 0x%lx, 0x%lx is there",
			    insns[INSN_X87_STORE].stored, *stored);
	}
	*stored = 0;
	breadcrumb("store to the table that the store goes through");
	set_store(&w, SELF_GVA + last);
	vcpu_run_poisoned(w.vcpu);
	vcpu_check_internal_error(w.vcpu, &(struct internal_error){
		.suberror = KVM_INTERNAL_ERROR_EMULATION,
		.rip = (gva_t)guest_x87_store_insn,
		.insn_size = guest_x87_store_end - guest_x87_store_insn });
	TEST_ASSERT(!*stored, "0x%lx was stored by an instruction that failed", *stored);
	kvm_vm_free(w.vm);
}

KVM_TEST_MAIN()
