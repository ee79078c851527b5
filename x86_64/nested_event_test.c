// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events of an L2 that meet page faults.
 *
 * The delivery of an event writes to L2's stack. Where L1's tables do not have it, L1
 * gets an exit, a nested page fault's or, where it has no nested paging and intercepts
 * L2's page faults, one of those. It says which event it was, or that could not be
 * delivered any more. Where KVM has not mapped the stack, KVM does, and nobody notices:
 * the event comes once. And L1 gets the page faults that KVM finds when it emulates for
 * L2 as well as the CPU's.
 *
 * What breaks this: an exit to L1 that forgets the event that KVM has taken back, one
 * that comes twice, a fault that goes to L2 although L1 intercepts it.
 */
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_event_test, .needs = { .mem_mb = 32, .timeout = 60 });

#define INT_VECTOR	0x80
#define IRQ_VECTOR	0x40
#define NO_GVA		0x700000000000UL	/* L2 has nothing there */
#define NR_PAGES	6U

/* The last word of a page of the window. */
#define STACK(page)	(NESTED_L2_GVA + ((page) + 1) * PAGE_SIZE - 8)
#define OFF(page)	((page) * PAGE_SIZE)

/* Before nested.h's functions run: L1 reads it when it sets itself up. */
static struct nested_cpu *create(struct nested *n, bool nested_paging, bool takes_pf)
{
	struct nested_cpu *cpu = nested_create_with_ram(n, 1, nested_paging);

	cpu->box->takes_pf = takes_pf;
	nested_map(n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, 0);
	return cpu;
}

/* KVM has nothing of it mapped, in a slot whose memory the host has taken back. */
static void forget_page(struct nested_cpu *cpu, unsigned int page)
{
	void *hva = addr_gpa2hva(cpu->n->vm, NESTED_GPA + OFF(page));

	TEST_ERROR_ON(madvise(hva, PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
}

static void map(struct nested_cpu *cpu, unsigned int page, unsigned int rights)
{
	l1_edit(cpu, OFF(page), PG_LEVEL_4K, nested_ram_leaf(cpu, page, rights));
}

/*
 * L1 has been told of the fault, and of the event. QEMU's TCG does not tell of one that
 * it has not injected itself.
 */
static void expect_cut_short(struct nested_cpu *cpu, unsigned int step, unsigned int page,
			     uint64_t event, bool injected)
{
	const struct nested_step *s = &cpu->box->step[step];
	uint64_t got = s->event;

	/* SVM has no vector with an NMI. */
	if (host_is_amd() && (got & ~0xffUL) == NESTED_EVENT_NMI)
		got |= NMI_VECTOR;
	TEST_ASSERT(s->fault_addr / PAGE_SIZE == nested_addr(cpu->n, OFF(page)) / PAGE_SIZE,
		    "the exit is for address 0x%lx, want one in the page of 0x%lx",
		    s->fault_addr, nested_addr(cpu->n, OFF(page)));
	if (!got && !injected && host_is_amd() && host_may_be_tcg())
		return;
	TEST_ASSERT(got == event,
		    "L1 is told that event 0x%lx was being delivered, want 0x%lx (error code above bit 32)",
		    got, event);
}

/* ---- events of L2's own ---- */

FIXTURE_VARIANT(own) {
	bool nested_paging;
	enum nested_op op;
	uint64_t event;
	uint8_t vector;
};
KVM_FIXTURE(own)

#define OWN(name, ...)								\
	FIXTURE_VARIANT_ADD(own, name##_nested_paging) { true, __VA_ARGS__ };	\
	FIXTURE_VARIANT_ADD(own, name##_own_page_tables) { false, __VA_ARGS__ }
OWN(ud, L2_UD, NESTED_EVENT_EXCEPTION | UD_VECTOR, UD_VECTOR);
OWN(int, L2_INT, NESTED_EVENT_INT | INT_VECTOR, INT_VECTOR);
/* A fault in the delivery of another one is a double fault's, unless that is L1's. */
FIXTURE_VARIANT_ADD(own, pf_nested_paging) {
	true, L2_PF, NESTED_EVENT_EXCEPTION | NESTED_EVENT_HAS_ERROR | PF_VECTOR, PF_VECTOR
};

static void expect_taken(struct nested_cpu *cpu, unsigned int step, uint8_t vector,
			 uint64_t error_code)
{
	const struct nested_step *s = &cpu->box->step[step];

	TEST_ASSERT(!s->exit && s->vector == vector && s->error_code == error_code,
		    "L2 took vector %lu with error code 0x%lx (exit to L1: %lu, code 0x%lx), want vector %u with 0x%lx",
		    s->vector, s->error_code, s->exit, s->exit_code, vector, error_code);
}

KVM_TEST_F(own, is_told_or_delivered)
{
	const uint64_t bad = NO_GVA;
	struct nested_cpu *cpu;
	unsigned int page;
	struct nested n;

	cpu = create(&n, variant->nested_paging, !variant->nested_paging);
	for (page = 0; page < NR_PAGES; page++) {
		nested_order(cpu, variant->op, STACK(page), bad,
			     NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		nested_run(cpu, "L1 has no stack for it, page %u", page);
		expect_cut_short(cpu, 0, page, variant->event, false);

		map(cpu, page, NESTED_R);
		nested_order(cpu, variant->op, STACK(page), bad,
			     NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		nested_run(cpu, "L1 has a read-only stack for it, page %u", page);
		expect_cut_short(cpu, 2, page, variant->event, false);

		map(cpu, page, NESTED_RW);
		nested_order(cpu, variant->op, STACK(page), bad, NESTED_WANT(ANY, 0));
		nested_run(cpu, "L1 has a stack for it, page %u", page);
		expect_taken(cpu, 2, variant->vector, 0);

		forget_page(cpu, page);
		nested_order(cpu, variant->op, STACK(page), bad, NESTED_WANT(ANY, 0));
		nested_run(cpu, "KVM has to map the stack, page %u", page);
		expect_taken(cpu, 0, variant->vector, 0);
	}
	nested_free(&n);
}

/* ---- events that L1 injects ---- */

static uint64_t taken, taken_error;

static void guest_takes(struct ex_regs *regs)
{
	taken++;
	taken_error = regs->error_code;
}

FIXTURE_VARIANT(injected) {
	bool nested_paging;
	uint64_t event;
	uint8_t vector;
};
KVM_FIXTURE(injected)

#define INJECTED(name, ...)							\
	FIXTURE_VARIANT_ADD(injected, name##_nested_paging) { true, __VA_ARGS__ };	\
	FIXTURE_VARIANT_ADD(injected, name##_own_page_tables) { false, __VA_ARGS__ }
INJECTED(interrupt, NESTED_EVENT_INTERRUPT | IRQ_VECTOR, IRQ_VECTOR);
INJECTED(nmi, NESTED_EVENT_NMI | NMI_VECTOR, NMI_VECTOR);
INJECTED(ud, NESTED_EVENT_EXCEPTION | UD_VECTOR, UD_VECTOR);
INJECTED(gp, NESTED_EVENT_EXCEPTION | NESTED_EVENT_HAS_ERROR | GP_VECTOR | 0x1238ULL << 32,
	 GP_VECTOR);

/* L2's read is what comes after the event. */
static void inject(struct nested_cpu *cpu, unsigned int page, uint64_t event,
		   struct nested_want want)
{
	cpu->box->l2_stack = NESTED_L2_GVA + OFF(page + 1);
	nested_order(cpu, L1_INJECT, 0, event, NESTED_WANT(ANY, 0));
	nested_order(cpu, L2_READ, NESTED_L2_GVA + OFF(NR_PAGES), 0, want);
}

/*
 * QEMU's TCG (7.2) keeps the vector of an interrupt that VMRUN injects, and delivers it
 * once more if it has to stop before L2 exits: one of two thousand. Such an interrupt is
 * tried again there, each time with a stack that KVM has to map: what KVM injects twice
 * it injects twice each time.
 */
#define TCG_TRIES	3

static void expect_taken_once(struct nested_cpu *cpu, unsigned int page, uint64_t event,
			      bool forget, const char *when)
{
	const bool interrupt = event == (NESTED_EVENT_INTERRUPT | IRQ_VECTOR);
	unsigned int tries = interrupt && host_may_be_tcg() ? TCG_TRIES : 1;
	uint64_t before, nr, error;

	for (;;) {
		if (forget)
			forget_page(cpu, page);
		before = read_guest_global(cpu->n->vm, taken);
		inject(cpu, page, event, NESTED_WANT(DATA, NESTED_WORD(NR_PAGES)));
		nested_run(cpu, "%s, page %u", when, page);
		nr = read_guest_global(cpu->n->vm, taken) - before;
		if (nr != 2 || !--tries)
			break;
		pr_info("L2 took one interrupt twice, page %u: once more, as this may be QEMU's TCG",
			page);
		forget = true;
	}
	error = read_guest_global(cpu->n->vm, taken_error);
	TEST_ASSERT(nr == 1 && error == event >> 32,
		    "L2 took the event that L1 injected %lu times, with error code 0x%lx; want once, with 0x%lx",
		    nr, error, event >> 32);
}

KVM_TEST_F(injected, is_told_or_delivered_once)
{
	struct nested_cpu *cpu;
	unsigned int page;
	struct nested n;
	uint64_t before;

	cpu = create(&n, variant->nested_paging, !variant->nested_paging);
	vm_install_exception_handler(n.vm, variant->vector, guest_takes);
	map(cpu, NR_PAGES, NESTED_R);
	nested_run(cpu, "map what L2 reads");
	for (page = 0; page < NR_PAGES; page++) {
		before = read_guest_global(n.vm, taken);
		inject(cpu, page, variant->event, NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		nested_run(cpu, "L1 has no stack for it, page %u", page);
		expect_cut_short(cpu, 1, page, variant->event, true);
		TEST_ASSERT_EQ(read_guest_global(n.vm, taken), before);

		map(cpu, page, NESTED_RW);
		expect_taken_once(cpu, page, variant->event, false, "L1 has a stack for it");
		expect_taken_once(cpu, page, variant->event, true, "KVM has to map the stack");
	}
	nested_free(&n);
}

/* ---- L1 intercepts page faults ---- */

KVM_FIXTURE(l1);
FIXTURE_VARIANT(l1) {
	bool nested_paging;
};

FIXTURE_VARIANT_ADD(l1, nested_paging) { true };
FIXTURE_VARIANT_ADD(l1, own_page_tables) { false };

static void expect_fault(struct nested_cpu *cpu, unsigned int step, uint64_t addr,
			 uint64_t error_code, const char *who)
{
	const struct nested_step *s = &cpu->box->step[step];

	TEST_ASSERT(s->exit == L2_EXIT_FAULT && s->fault_addr == addr &&
		    s->error_code == error_code,
		    "%s: L1 got exit %lu (code 0x%lx) with address 0x%lx and error code 0x%lx (vector of L2's: %lu), want #PF at 0x%lx with 0x%lx",
		    who, s->exit, s->exit_code, s->fault_addr, s->error_code, s->vector, addr,
		    error_code);
}

KVM_TEST_F(l1, gets_the_page_faults_that_it_intercepts)
{
	struct nested_cpu *cpu;
	unsigned int i;
	struct nested n;

	cpu = create(&n, variant->nested_paging, true);
	__nested_map(&n, n.root, OFF(8), NESTED_GPA + NESTED_SIZE - SZ_2M, PAGE_SIZE,
		     PG_LEVEL_4K, NESTED_RW);
	for (i = 0; i < 4; i++) {
		nested_order(cpu, L2_READ, NO_GVA, 0, NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		nested_order(cpu, L2_WRITE, NO_GVA + 8, 0, NESTED_WANT(L2_EXIT, L2_EXIT_FAULT));
		/* From a gap: KVM finds out where it goes when it has been read. */
		nested_order(cpu, L2_COPY_IN, NESTED_L2_GVA + OFF(8), NO_GVA + 16,
			     NESTED_WANT(ANY_OR_MMIO, 0));
		nested_run(cpu, "L2 has nothing there");
		expect_fault(cpu, 0, NO_GVA, 0, "a read");
		expect_fault(cpu, 1, NO_GVA + 8, PFERR_WRITE_MASK, "a write");
		expect_fault(cpu, 2, NO_GVA + 16, PFERR_WRITE_MASK, "a write by KVM");
	}
	nested_free(&n);
}

KVM_TEST_MAIN()
