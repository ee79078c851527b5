// SPDX-License-Identifier: GPL-2.0-only
/* Orders to L1 and L2, and what came of them; see include/nested.h. */
#include <stdarg.h>

#include "nested_internal.h"
#include "ucall.h"

void nested_order(struct nested_cpu *cpu, enum nested_op op, uint64_t addr,
		  uint64_t value, struct nested_want want)
{
	struct nested_box *box = cpu->box;

	TEST_ERROR_ON(box->nr == NESTED_MAX_STEPS, "too many orders");
	box->step[box->nr] = (struct nested_step){
		.op = op, .addr = addr, .value = value,
	};
	cpu->want[box->nr++] = want;
}

void l2_read(struct nested_cpu *cpu, uint64_t off, uint64_t value)
{
	nested_order(cpu, L2_READ, NESTED_L2_GVA + off, 0, NESTED_WANT(DATA, value));
}

void l2_write(struct nested_cpu *cpu, uint64_t off, uint64_t value)
{
	nested_order(cpu, L2_WRITE, NESTED_L2_GVA + off, value, NESTED_WANT(DATA, value));
}

void l2_exec(struct nested_cpu *cpu, uint64_t off)
{
	nested_order(cpu, L2_EXEC, NESTED_L2_GVA + off, 0, NESTED_WANT(DATA, 0));
}

void l2_read_gap(struct nested_cpu *cpu, uint64_t off, gpa_t gpa)
{
	nested_order(cpu, L2_READ, NESTED_L2_GVA + off, 0, NESTED_WANT(MMIO, gpa));
}

void l2_write_gap(struct nested_cpu *cpu, uint64_t off, gpa_t gpa, uint64_t value)
{
	nested_order(cpu, L2_WRITE, NESTED_L2_GVA + off, value, NESTED_WANT(MMIO, gpa));
}

void l2_fault(struct nested_cpu *cpu, enum nested_op op, uint64_t off,
	      uint64_t error_code)
{
	nested_order(cpu, op, NESTED_L2_GVA + off, test_random(),
		     NESTED_WANT(FAULT, error_code));
}

void l1_read(struct nested_cpu *cpu, gpa_t gpa, uint64_t value)
{
	nested_order(cpu, L1_READ, gpa, 0, NESTED_WANT(DATA, value));
}

void l1_write(struct nested_cpu *cpu, gpa_t gpa, uint64_t value)
{
	nested_order(cpu, L1_WRITE, gpa, value, NESTED_WANT(DATA, value));
}

void l1_read_gap(struct nested_cpu *cpu, gpa_t gpa)
{
	nested_order(cpu, L1_READ, gpa, 0, NESTED_WANT(MMIO, gpa));
}

static gva_t entry_gva(struct nested *n, uint64_t off, int level)
{
	return n->tables_gva + nested_entry_gpa(n, off, level) - n->tables;
}

void l1_set_entry(struct nested_cpu *cpu, uint64_t off, int level, uint64_t value)
{
	l1_write(cpu, entry_gva(cpu->n, off, level), value);
}

void l1_set_entry_x87(struct nested_cpu *cpu, uint64_t off, int level, uint64_t value)
{
	nested_order(cpu, L1_WRITE_X87, entry_gva(cpu->n, off, level), value,
		     NESTED_WANT(DATA, value));
}

void l1_lock_or_entry(struct nested_cpu *cpu, uint64_t off, int level, uint64_t bits)
{
	nested_order(cpu, L1_LOCK_OR, entry_gva(cpu->n, off, level), bits,
		     NESTED_WANT(ANY, 0));
}

void l1_edit(struct nested_cpu *cpu, uint64_t off, int level, uint64_t entry)
{
	l1_set_entry(cpu, off, level, entry);
	if (!cpu->n->paging && test_random() % 2)
		nested_order(cpu, L1_INVALIDATE, NESTED_L2_GVA + off, 0,
			     NESTED_WANT(ANY, 0));
	else
		l1_flush(cpu);
}

void l1_flush(struct nested_cpu *cpu)
{
	nested_order(cpu, L1_FLUSH, 0, 0, NESTED_WANT(ANY, 0));
}

void l1_turn(struct nested_cpu *cpu)
{
	nested_order(cpu, L1_TURN, 0, 0, NESTED_WANT(ANY, 0));
}

void l1_set_root(struct nested_cpu *cpu, gpa_t root)
{
	nested_order(cpu, L1_SET_ROOT, 0, nested_root_value(cpu->n, root),
		     NESTED_WANT(ANY, 0));
}

void l1_vmwrite(struct nested_cpu *cpu, enum vmcs_field field, uint64_t value)
{
	nested_order(cpu, L1_VMWRITE, field, value, NESTED_WANT(DATA, value));
}

uint64_t l1_vmread(struct nested_cpu *cpu, enum vmcs_field field)
{
	const unsigned int step = cpu->box->nr;

	nested_order(cpu, L1_VMREAD, field, 0, NESTED_WANT(ANY, 0));
	nested_run(cpu, "VMREAD of 0x%x", field);
	return cpu->box->step[step].got;
}

void l1_add_controls(struct nested_cpu *cpu, enum vmcs_field field, uint64_t bits)
{
	l1_vmwrite(cpu, field, l1_vmread(cpu, field) | bits);
}

void l1_set_eptp(struct nested_cpu *cpu, uint64_t eptp)
{
	nested_order(cpu, L1_SET_ROOT, 0, eptp, NESTED_WANT(ANY, 0));
}

void l1_invept(struct nested_cpu *cpu, uint64_t type, uint64_t eptp, uint64_t error)
{
	nested_order(cpu, L1_INVEPT, type, eptp, NESTED_WANT(DATA, error));
}

/* ---- what came of them ---- */

static const char *const op_names[] = {
	[L1_READ] = "L1 reads", [L1_WRITE] = "L1 writes",
	[L1_WRITE_X87] = "L1 writes by FISTP",
	[L1_LOCK_OR] = "L1 sets bits, locked,", [L1_FLUSH] = "L1 flushes",
	[L1_INVALIDATE] = "L1 invalidates", [L1_SET_ROOT] = "L1 sets the root",
	[L1_INJECT] = "L1 injects an event, at",
	[L1_TURN] = "L1", [L1_VMREAD] = "L1 does VMREAD of", [L1_VMWRITE] = "L1 does VMWRITE of",
	[L1_INVEPT] = "L1 does INVEPT of type", [L1_INVVPID] = "L1 does INVVPID of",
	[L1_ENTER] = "L1 enters L2",
	[L2_READ] = "L2 reads", [L2_WRITE] = "L2 writes",
	[L2_EXEC] = "L2 executes", [L2_COPY_IN] = "L2 copies to RAM from",
	[L2_COPY_OUT] = "L2 copies from RAM to", [L2_INVLPG] = "L2 does INVLPG of",
	[L2_UD] = "L2 takes #UD, stack at", [L2_INT] = "L2 does INT, stack at",
	[L2_PF] = "L2 takes #PF, stack at",
	[L2_SYNC] = "L2 lets the host in", [L2_TRIPLE_FAULT] = "L2 ends by a triple fault",
	[L2_VMFUNC] = "L2 does VMFUNC", [L2_SET_CR8] = "L2 sets CR8",
};

static const char *const exit_names[] = {
	[L2_EXIT_NONE] = "no", [L2_EXIT_DONE] = "a VMCALL",
	[L2_EXIT_FAULT] = "a nested page fault", [L2_EXIT_TRIPLE_FAULT] = "a triple fault",
	[L2_EXIT_NO_ENTRY] = "a refused entry", [L2_EXIT_OTHER] = "another",
	[L2_EXIT_ANY] = "any",
};

/* "gva 0x.. (L1's NPT entries 0x.. 0x.. 0x..)" */
static void describe_place(struct nested_cpu *cpu, const struct nested_step *s,
			   char *buf, size_t size)
{
	struct nested *n = cpu->n;
	uint64_t addr = s->addr, e;
	struct userspace_mem_region *r;
	int l, len;
	gpa_t gpa;

	len = snprintf(buf, size, "gva 0x%lx", s->addr);
	if (s->op < L2_READ || s->addr < NESTED_L2_GVA)
		return;
	if (n->paging)
		addr += NESTED_L2_GPA - NESTED_L2_GVA;
	gpa = cpu->box->root & PHYSICAL_PAGE_MASK;
	len += snprintf(buf + len, size - len, "%s0x%lx, L1's entries",
			n->paging ? ", gpa of L2 " : " = ", addr);
	for (l = nested_top_level(n); l >= PG_LEVEL_4K; l--) {
		gpa += ((addr >> PG_LEVEL_SHIFT(l)) & 511) * 8;
		r = vm_find_gpa(n->vm, gpa);
		if (!r)
			break;
		e = *(uint64_t *)addr_gpa2hva(n->vm, gpa);
		len += snprintf(buf + len, size - len, " 0x%lx", e);
		gpa = e & PHYSICAL_PAGE_MASK;
		if (!(e & 7) || e & PTE_LARGE_MASK)
			break;
	}
}

static void describe_want(const struct nested_want *want, char *buf, size_t size)
{
	switch (want->outcome) {
	case NESTED_MMIO:
		snprintf(buf, size, "an MMIO exit at gpa 0x%lx", want->value);
		break;
	case NESTED_FAULT:
		snprintf(buf, size, "a fault with error code 0x%lx (and the user bit in #NPF)",
			 want->value);
		break;
	case NESTED_L2_EXIT:
		snprintf(buf, size, "%s exit", exit_names[want->value]);
		break;
	default:
		snprintf(buf, size, "0x%lx", want->value);
	}
}

static void describe_got(const struct nested_step *s, char *buf, size_t size)
{
	if (s->exit)
		snprintf(buf, size, "%s exit to L1 (0x%lx, info 0x%lx, error code 0x%lx, address 0x%lx)",
			 exit_names[s->exit], s->exit_code, s->info, s->error_code,
			 s->fault_addr);
	else if (s->vector)
		snprintf(buf, size, "vector %lu, error code 0x%lx, CR2 0x%lx", s->vector,
			 s->error_code, s->fault_addr);
	else
		snprintf(buf, size, "0x%lx", s->got);
}

static void __attribute__((noreturn))
step_failed(struct nested_cpu *cpu, unsigned int i, const char *got)
{
	struct nested_step *s = &cpu->box->step[i];
	char place[256], want[128];

	describe_place(cpu, s, place, sizeof(place));
	describe_want(&cpu->want[i], want, sizeof(want));
	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL,
		  "order %u of %lu to vCPU %u: %s %s: want %s, got %s", i + 1,
		  cpu->box->nr, cpu->vcpu->id, op_names[s->op], place, want, got);
}

/*
 * An EPT misconfiguration says nothing of the access. QEMU's TCG forgets the
 * present bit of an L2's own fault on a reserved bit.
 */
static bool is_error_code(const struct nested *n, const struct nested_step *s,
			  uint64_t want)
{
	uint64_t mask = ~0ULL;

	if (want & PFERR_RSVD_MASK) {
		if (nested_is_ept(n))
			mask = PFERR_RSVD_MASK;
		else if (!n->paging && kvm_is_tdp_enabled() && host_may_be_tcg())
			mask &= ~PFERR_PRESENT_MASK;
	}
	return !((s->error_code ^ want) & mask);
}

/* All accesses by nested tables are a user's, and this is one of the last step (APM 15.25.6). */
static bool is_exit_info(const struct nested *n, const struct nested_step *s)
{
	return nested_is_ept(n) || (s->info & PFERR_USER_MASK && s->info >> 32 == 1);
}

static bool is_fault(struct nested_cpu *cpu, const struct nested_step *s, uint64_t want)
{
	struct nested *n = cpu->n;
	uint64_t addr = nested_addr(n, s->addr - NESTED_L2_GVA);

	if (n->paging && !is_exit_info(n, s))
		return false;
	if (n->paging || (cpu->box->takes_pf && s->op >= L2_READ)) {
		if (s->exit != L2_EXIT_FAULT || s->in_page_walk)
			return false;
	} else if (s->exit || s->vector != PF_VECTOR) {
		return false;
	}
	return s->fault_addr == addr && is_error_code(n, s, want);
}

static bool is_write(const struct nested_step *s)
{
	return s->op == L1_WRITE || s->op == L1_LOCK_OR || s->op == L2_WRITE ||
	       s->op == L2_COPY_OUT;
}

static bool is_wanted(struct nested_cpu *cpu, unsigned int i, uint64_t *value)
{
	const struct nested_step *s = &cpu->box->step[i];
	const struct nested_want *want = &cpu->want[i];

	*value = want->value;
	switch (want->outcome) {
	case NESTED_ANY:
	case NESTED_ANY_OR_MMIO:
		return true;
	case NESTED_FAULT:
		return is_fault(cpu, s, want->value);
	case NESTED_L2_EXIT:
		return want->value == L2_EXIT_ANY ? s->exit : s->exit == want->value;
	case NESTED_MMIO:
		*value = is_write(s) ? s->value : nested_gap_value(want->value);
		break;
	default:
		if (s->op == L2_EXEC)
			*value = s->got;
	}
	return !s->exit && !s->vector && s->got == *value;
}

static void check_steps(struct nested_cpu *cpu, const uint8_t exits[])
{
	unsigned int i;
	uint64_t value;
	char got[160];

	for (i = cpu->checked; i < cpu->box->nr; i++) {
		bool mmio = cpu->want[i].outcome == NESTED_MMIO;

		describe_got(&cpu->box->step[i], got, sizeof(got));
		if (!is_wanted(cpu, i, &value))
			step_failed(cpu, i, got);
		if (mmio && exits[i] != 1)
			step_failed(cpu, i, exits[i] ? "two exits" : "no exit");
	}
	cpu->checked = cpu->box->nr;
}

static void handle_exit(struct nested_cpu *cpu, uint8_t exits[])
{
	unsigned int i = cpu->box->current;
	const struct nested_step *s = &cpu->box->step[i];
	gpa_t gpa = cpu->want[i].value;
	char got[512];

	if (i < cpu->box->nr && cpu->want[i].outcome == NESTED_ANY_OR_MMIO &&
	    cpu->vcpu->run->exit_reason == KVM_EXIT_MMIO)
		return;
	if (i >= cpu->box->nr || cpu->want[i].outcome != NESTED_MMIO ||
	    cpu->vcpu->run->exit_reason != KVM_EXIT_MMIO ||
	    cpu->vcpu->run->mmio.phys_addr != gpa) {
		vcpu_describe_exit(cpu->vcpu, got, sizeof(got));
		step_failed(cpu, i, got);
	}
	vcpu_check_mmio(cpu->vcpu, &(struct mmio_access){
		.gpa = gpa, .len = 8, .is_write = is_write(s),
		.data = is_write(s) ? s->value : nested_gap_value(gpa),
	});
	exits[i]++;
}

static void run_to(struct nested_cpu *cpu, uint64_t stage)
{
	uint8_t exits[NESTED_MAX_STEPS] = {};
	struct ucall uc;

	for (;;) {
		vcpu_run(cpu->vcpu);
		if (get_ucall(cpu->vcpu, &uc) == UCALL_SYNC)
			break;
		handle_exit(cpu, exits);
	}
	check_steps(cpu, exits);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, uc.args[0] == stage,
			   "vCPU %u: want a sync from L%lu, got one from L%lu",
			   cpu->vcpu->id, stage, uc.args[0]);
}

static void __attribute__((format(printf, 1, 0)))
set_step(const char *fmt, va_list ap)
{
	char what[128];

	vsnprintf(what, sizeof(what), fmt, ap);
	test_step("%s", what);
}

/* L1 sets itself up when it runs for the first time. */
static void start_l1(struct nested_cpu *cpu)
{
	if (cpu->started)
		return;
	cpu->started = true;
	vcpu_sregs_get(cpu->vcpu, &cpu->first_sregs);
	vcpu_regs_get(cpu->vcpu, &cpu->first_regs);
	vcpu_expect_sync(cpu->vcpu, NESTED_STAGE_L1);
}

static void forget_orders(struct nested_cpu *cpu)
{
	cpu->box->nr = cpu->box->current = cpu->checked = 0;
}

void nested_restart_l1(struct nested_cpu *cpu)
{
	forget_orders(cpu);
	vcpu_sregs_set(cpu->vcpu, &cpu->first_sregs);
	vcpu_regs_set(cpu->vcpu, &cpu->first_regs);
	cpu->started = false;
}

void nested_run(struct nested_cpu *cpu, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	set_step(what, ap);
	va_end(ap);
	start_l1(cpu);
	run_to(cpu, NESTED_STAGE_L1);
	forget_orders(cpu);
}

void nested_run_in_l2(struct nested_cpu *cpu, const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	set_step(what, ap);
	va_end(ap);
	start_l1(cpu);
	nested_order(cpu, L2_SYNC, 0, 0, NESTED_WANT(ANY, 0));
	run_to(cpu, NESTED_STAGE_L2);
}
