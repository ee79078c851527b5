// SPDX-License-Identifier: GPL-2.0-only
/* What a guest of guest_modes.h does in its modes, and what must come of it. */
#include <stdarg.h>

#include "guest_modes.h"
#include "ucall.h"

#define WRITTEN_OFFSET	8

/* ---- walks of the guest's page tables ---- */

/* False where the walk ends with a #PF; @reserved bits must be 0. */
static bool step_down(struct modes_walk *w, uint64_t entry, uint64_t reserved)
{
	w->present = entry & PTE_PRESENT_MASK;
	w->reserved = w->present && entry & reserved;
	w->writable &= !!(entry & PTE_WRITABLE_MASK);
	w->nx |= !!(entry & PTE_NX_MASK);
	return w->present && !w->reserved;
}

static void walk_32bit(struct modes *m, uint32_t addr, struct modes_walk *w)
{
	uint32_t e = *modes_word32(m, m->root[MODE_32BIT] + (addr >> 22) * 4);

	/* PSE-36: 8 more bits of the gpa, and one that is reserved. */
	if (!step_down(w, e, e & PTE_LARGE_MASK && !m->no_pse ? BIT(21) : 0))
		return;
	w->gpa = (e & 0xffc00000) | (addr & 0x3fffff) | (uint64_t)(e >> 13 & 0xff) << 32;
	if (e & PTE_LARGE_MASK && !m->no_pse)
		return;
	e = *modes_word32(m, (e & ~0xfffU) + (addr >> 12 & 1023) * 4);
	step_down(w, e, 0);
	w->gpa = (e & ~0xfffU) | (addr & 0xfff);
}

static void walk_64bit(struct modes *m, uint32_t addr, struct modes_walk *w)
{
	/* PAE has no bits there, long mode has them for software; bit 12 of 2M is PAT. */
	const uint64_t reserved = (PHYSICAL_PAGE_MASK & ~(BIT_ULL(m->vm->pa_bits) - 1)) |
				  (m->mode == MODE_PAE ? 0x7ffUL << 52 : 0);
	const uint64_t large = (SZ_2M - 1) & ~(BIT_ULL(13) - 1);
	uint64_t e;

	if (m->mode == MODE_LA57) {
		e = *modes_word64(m, m->root[MODE_LA57]);
		if (!step_down(w, e, reserved | PTE_LARGE_MASK))
			return;
	}
	if (m->mode >= MODE_LONG) {
		e = *modes_word64(m, m->root[MODE_LONG]);
		if (!step_down(w, e, reserved | PTE_LARGE_MASK))
			return;
		e = *modes_word64(m, (e & PHYSICAL_PAGE_MASK) + (addr >> 30) * 8);
	} else {
		/* These have no rights, and are not where a walk reads them. */
		e = m->pdptes[addr >> 30] | PTE_WRITABLE_MASK;
	}
	if (!step_down(w, e, m->mode == MODE_PAE ? 0 : reserved))
		return;
	e = *modes_word64(m, (e & PHYSICAL_PAGE_MASK) + (addr >> 21 & 511) * 8);
	if (!step_down(w, e, reserved | (e & PTE_LARGE_MASK ? large : 0)))
		return;
	w->gpa = (e & PHYSICAL_PAGE_MASK & ~(SZ_2M - 1)) | (addr & (SZ_2M - 1));
	if (e & PTE_LARGE_MASK)
		return;
	e = *modes_word64(m, (e & PHYSICAL_PAGE_MASK) + (addr >> 12 & 511) * 8);
	step_down(w, e, reserved);
	w->gpa = (e & PHYSICAL_PAGE_MASK) | (addr & 0xfff);
}

static void walk(struct modes *m, uint32_t addr, struct modes_walk *w)
{
	*w = (struct modes_walk){ .present = true, .writable = true, .gpa = addr };
	if (m->mode == MODE_32BIT)
		walk_32bit(m, addr, w);
	else if (m->mode != MODE_NONPAGED)
		walk_64bit(m, addr, w);
}

/* ---- steps ---- */

struct modes_step *modes_add(struct modes *m, enum modes_op op, uint32_t addr,
			     uint32_t value)
{
	struct modes_step *s = &m->box->step[m->box->nr++];

	TEST_ERROR_ON(m->box->nr > MODES_MAX_STEPS, "too many steps");
	*s = (struct modes_step){ .op = op, .addr = addr, .value = value };
	return s;
}

void modes_load_pdptes(struct modes *m)
{
	memcpy(m->pdptes, modes_word64(m, m->root[MODE_PAE]), sizeof(m->pdptes));
}

void modes_flush(struct modes *m)
{
	modes_add(m, MODES_CR3, 0, m->root[m->mode]);
}

void modes_write_entry32(struct modes *m, gpa_t gpa, uint32_t value)
{
	modes_add(m, MODES_WRITE, gpa, value);
}

/* By halves it is never present and half old. */
void modes_write_entry64(struct modes *m, gpa_t gpa, uint64_t value, bool at_once)
{
	if (at_once) {
		modes_add(m, MODES_WRITE64, gpa, value)->high = value >> 32;
		return;
	}
	modes_add(m, MODES_WRITE, gpa, 0);
	modes_add(m, MODES_WRITE, gpa + 4, value >> 32);
	modes_add(m, MODES_WRITE, gpa, value);
}

/* ---- running and comparing ---- */

static void __attribute__((noreturn))
step_failed(struct modes *m, uint32_t n, const struct modes_walk *w, const char *what,
	    const char *want, const char *got)
{
	static const char *const ops[] = {
		"read", "write", "call", "CMPXCHG8B", "MOV to CR0", "MOV to CR3",
		"MOV to CR4", "WRMSR of EFER", "INVLPG", "LIDT", "read by FS", "write by FS",
		"VMRUN", "VMMCALL",
	};
	const struct modes_step *s = &m->box->step[n];
	char where[160];

	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL,
		  "%s, %s, step %u of %u: %s at 0x%x, value 0x%x, gpa 0x%lx (%s): want %s, got %s",
		  what, cpu_mode_name(m->mode), n + 1, m->box->nr, ops[s->op], s->addr, s->value,
		  w->gpa, w->present ? vm_describe_gpa(m->vm, w->gpa, where, sizeof(where)) :
		  "not present", want, got);
}

static bool is_ram(struct modes *m, uint64_t gpa)
{
	return vm_find_gpa(m->vm, gpa);
}

/* QEMU's TCG forgets the present bit of a fault on a reserved bit. */
static bool same_error_code(uint32_t got, uint32_t want)
{
	if (want & PFERR_RSVD_MASK && kvm_is_tdp_enabled() && host_may_be_tcg())
		got |= PFERR_PRESENT_MASK;
	return got == want;
}

static bool must_fault(const struct modes *m, const struct modes_step *s,
		       const struct modes_walk *w, uint32_t *error_code)
{
	*error_code = (w->present ? PFERR_PRESENT_MASK : 0) |
		      (w->reserved ? PFERR_RSVD_MASK : 0) |
		      (s->op == MODES_WRITE ? PFERR_WRITE_MASK : 0) |
		      (s->op == MODES_EXEC && m->mode >= MODE_PAE ? PFERR_FETCH_MASK : 0);
	return !w->present || w->reserved || (s->op == MODES_WRITE && !w->writable) ||
	       (s->op == MODES_EXEC && w->nx);
}

static void check_access(struct modes *m, uint32_t n, const struct modes_walk *w,
			 const char *what)
{
	const struct modes_step *s = &m->box->step[n];
	char want[96], got[96];
	uint32_t ec, value;
	bool fault = must_fault(m, s, w, &ec);

	if (s->vector)
		snprintf(got, sizeof(got), "#PF with error code 0x%x and CR2 0x%x",
			 s->error_code, s->cr2);
	else
		snprintf(got, sizeof(got), "0x%x", s->got);
	if (fault) {
		snprintf(want, sizeof(want), "#PF with error code 0x%x and CR2 0x%x", ec,
			 s->addr);
		if (!s->vector || !same_error_code(s->error_code, ec) || s->cr2 != s->addr)
			step_failed(m, n, w, what, want, got);
		return;
	}
	value = s->op == MODES_EXEC ? *modes_word32(m, w->gpa + 1) :
		s->op == MODES_WRITE ? 0 : is_ram(m, w->gpa) ? *modes_word32(m, w->gpa) :
		~(uint32_t)w->gpa;
	snprintf(want, sizeof(want), "0x%x", value);
	if (s->vector || (s->op != MODES_WRITE && s->got != value))
		step_failed(m, n, w, what, want, got);
}

static void handle_mmio(struct modes *m, uint32_t n, const struct modes_walk *w,
			const char *what, uint32_t *exits)
{
	const struct modes_step *s = &m->box->step[n];
	struct mmio_access mmio = {
		.gpa = w->gpa, .len = 4, .is_write = s->op == MODES_WRITE,
		.data = s->op == MODES_WRITE ? s->value : ~(uint32_t)w->gpa,
	};
	char got[256];

	if (n >= m->box->nr || s->op > MODES_WRITE || !w->present || w->reserved ||
	    is_ram(m, w->gpa)) {
		vcpu_describe_exit(m->vcpu, got, sizeof(got));
		step_failed(m, n, w, what, "no exit", got);
	}
	vcpu_check_mmio(m->vcpu, &mmio);
	++*exits;
}

/* To the OUT of the end; @walks are of the steps, or none of them exits. */
static void run_steps(struct modes *m, const struct modes_walk walks[], uint32_t exits[],
		      const char *what)
{
	static const struct modes_walk none;
	struct kvm_run *run = m->vcpu->run;
	uint32_t n;

	for (;;) {
		vcpu_run(m->vcpu);
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == MODES_DONE_PORT)
			return;
		n = m->box->current;
		if (run->exit_reason != KVM_EXIT_MMIO || !walks)
			step_failed(m, n, &none, what, "no exit", exit_reason_str(run->exit_reason));
		handle_mmio(m, n, &walks[n], what, &exits[n]);
	}
}

void modes_run(struct modes *m, const char *fmt, ...)
{
	const struct modes_walk none = {};
	char what[128], got[32];
	va_list ap;
	uint32_t n;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	test_step("%s, in %s", what, cpu_mode_name(m->mode));
	run_steps(m, NULL, NULL, what);
	for (n = 0; n < m->box->nr; n++) {
		snprintf(got, sizeof(got), "#PF of 0x%x", m->box->step[n].cr2);
		if (m->box->step[n].vector)
			step_failed(m, n, &none, what, "no fault", got);
		if (m->box->step[n].op == MODES_CR3)
			modes_load_pdptes(m);
	}
	m->box->nr = 0;
}

bool modes_try_flush(struct modes *m)
{
	const struct modes_step *s = &m->box->step[m->box->nr];
	static const struct modes_walk none;

	modes_flush(m);
	run_steps(m, NULL, NULL, "CR3 write");
	if (s->vector && (s->vector != GP_VECTOR || s->error_code))
		step_failed(m, m->box->nr - 1, &none, "CR3 write", "no exception, or #GP(0)",
			    "another one");
	m->box->nr = 0;
	if (s->vector)
		return false;
	modes_load_pdptes(m);
	return true;
}

static struct modes_walk walks[MODES_MAX_STEPS];

/* What is not code is not called. */
static void add_access(struct modes *m, enum modes_op op, uint32_t addr)
{
	struct modes_walk *w = &walks[m->box->nr];

	walk(m, addr, w);
	if (op == MODES_EXEC && w->present && !w->reserved && !w->nx && !is_ram(m, w->gpa))
		return;
	modes_add(m, op, addr, op == MODES_WRITE ? m->stored += 0x11 : 0);
}

static void add_page(struct modes *m, uint32_t addr)
{
	add_access(m, MODES_READ, addr);
	if (test_random() % 2)
		add_access(m, MODES_WRITE, addr + WRITTEN_OFFSET);
	add_access(m, MODES_EXEC, addr + MODES_CALLEE_OFFSET);
}

static void add_accesses(struct modes *m)
{
	/* A large page of 4M begins where the tables are. */
	const uint32_t large = MODES_LARGE +
			       (m->mode == MODE_32BIT ? MODES_DATA_GPA - MODES_GPA : 0);
	unsigned int i;

	for (i = 0; i < MODES_WINDOW_PAGES; i++)
		add_page(m, modes_window(i));
	add_page(m, large);
	add_page(m, large + 37 * PAGE_SIZE);
	add_access(m, MODES_READ, MODES_GAP + 0x10);
	add_access(m, MODES_READ, MODES_GAP + 3 * PAGE_SIZE);
}

/* Without paging, addresses are gpas. */
static void add_physical_accesses(struct modes *m)
{
	unsigned int i;

	for (i = 0; i < MODES_DATA_PAGES; i += 31)
		add_page(m, MODES_DATA_GPA + i * PAGE_SIZE);
	add_access(m, MODES_READ, MODES_GAP_GPA + 0x10);
	add_access(m, MODES_READ, MODES_GAP_GPA + 3 * PAGE_SIZE);
}

/* Unless a later step has written there as well. */
static void check_written(struct modes *m, uint32_t n, const char *what)
{
	const struct modes_step *s = &m->box->step[n];
	char want[32], got[32];
	uint32_t i;

	if (s->op != MODES_WRITE || s->vector || !is_ram(m, walks[n].gpa))
		return;
	for (i = n + 1; i < m->box->nr; i++) {
		if (m->box->step[i].op == MODES_WRITE && !m->box->step[i].vector &&
		    walks[i].gpa == walks[n].gpa)
			return;
	}
	snprintf(want, sizeof(want), "0x%x in memory", s->value);
	snprintf(got, sizeof(got), "0x%x", *modes_word32(m, walks[n].gpa));
	if (*modes_word32(m, walks[n].gpa) != s->value)
		step_failed(m, n, &walks[n], what, want, got);
}

/* KVM's own walk, as its emulator goes. */
static void check_translation(struct modes *m, uint32_t n, const char *what)
{
	struct kvm_translation t = { .linear_address = m->box->step[n].addr };
	const struct modes_walk *w = &walks[n];
	const bool valid = w->present && !w->reserved;
	char want[64], got[64];

	/* KVM takes PDPTEs with the accessed bit that TCG sets for wrong ones. */
	if (m->mode == MODE_PAE && kvm_is_tdp_enabled() && host_may_be_tcg())
		return;
	vcpu_ioctl(m->vcpu, KVM_TRANSLATE, &t);
	if (t.valid == valid && (!valid || t.physical_address == w->gpa))
		return;
	snprintf(want, sizeof(want), "KVM_TRANSLATE to gpa 0x%lx, valid %u", w->gpa, valid);
	snprintf(got, sizeof(got), "gpa 0x%llx, valid %u", t.physical_address, t.valid);
	step_failed(m, n, w, what, want, got);
}

void modes_check(struct modes *m, const char *fmt, ...)
{
	uint32_t exits[MODES_MAX_STEPS] = {}, n;
	char what[128];
	va_list ap;
	bool mmio;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (m->mode == MODE_NONPAGED)
		add_physical_accesses(m);
	else
		add_accesses(m);
	test_step("%s, in %s", what, cpu_mode_name(m->mode));
	run_steps(m, walks, exits, what);
	for (n = 0; n < m->box->nr; n++) {
		check_access(m, n, &walks[n], what);
		check_written(m, n, what);
		check_translation(m, n, what);
		mmio = !m->box->step[n].vector && !is_ram(m, walks[n].gpa);
		if (exits[n] != mmio)
			step_failed(m, n, &walks[n], what, mmio ? "one MMIO exit" :
				    "no exit", exits[n] ? "an exit" : "none");
	}
	m->box->nr = 0;
}
