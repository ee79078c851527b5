// SPDX-License-Identifier: GPL-2.0-only
/* Orders to the guest, and what came of them; see guest_paging.h. */
#include <stdarg.h>

#include "guest_paging.h"
#include "paging_internal.h"
#include "ucall.h"

static const char *const op_names[] = {
	[PAGING_READ] = "read", [PAGING_WRITE] = "write", [PAGING_EXEC] = "fetch",
	[PAGING_MOVS] = "MOVS from a gap", [PAGING_OUTS] = "OUTS",
	[PAGING_WRITE32] = "2 writes of 4 bytes", [PAGING_WRITE8] = "8 writes of a byte",
	[PAGING_XCHG] = "XCHG", [PAGING_XCHG32] = "2 XCHGs of 4 bytes",
	[PAGING_XCHG16] = "4 XCHGs of 2 bytes", [PAGING_XCHG8] = "8 XCHGs of a byte",
	 [PAGING_WRITE_ACROSS] = "store across two entries",
	[PAGING_INVLPG] = "INVLPG",
	[PAGING_SET_CR0] = "MOV to CR0", [PAGING_SET_CR3] = "MOV to CR3",
	[PAGING_SET_CR4] = "MOV to CR4", [PAGING_SET_EFER] = "WRMSR of EFER",
	[PAGING_SET_PKRU] = "WRPKRU", [PAGING_INVPCID] = "INVPCID",
};

/* ---- giving orders ---- */

static struct paging_want *add_step(struct paging_cpu *cpu, enum paging_op op,
				    gva_t gva, uint64_t value)
{
	struct paging_want *want;
	uint64_t n;

	if (cpu->box->nr == PAGING_MAX_STEPS) {
		char what[sizeof(cpu->what)];

		memcpy(what, cpu->what, sizeof(what));
		paging_run(cpu, "after: %.100s", strncmp(what, "after: ", 7) ?
			   what : what + 7);
	}
	n = cpu->box->nr++;
	cpu->box->step[n] = (struct paging_step){ .op = op, .gva = gva, .value = value };
	want = &cpu->want[n];
	*want = (struct paging_want){ .cr0 = cpu->cr0, .cr4 = cpu->cr4,
				      .efer = cpu->efer, .pkru = cpu->pkru };
	return want;
}

static bool try_access(struct paging_cpu *cpu, const struct paging_step *access)
{
	struct paging_want *want;
	struct paging_step *s;

	if (cpu->stale[paging_context(cpu)][paging_watched(cpu->p, access->gva)])
		return false;
	want = add_step(cpu, access->op, access->gva, access->value);
	s = &cpu->box->step[cpu->box->nr - 1];
	s->user = access->user;
	s->ac = access->ac;
	if (!paging_predict(cpu, want, s)) {
		cpu->box->nr--;
		return false;
	}
	return true;
}

bool paging_try(struct paging_cpu *cpu, enum paging_op op, gva_t gva, bool user,
		bool ac)
{
	static uint64_t written = 0x1771000000000000UL;
	struct paging_step access = {
		.op = op, .gva = gva, .value = written += 0x1000, .user = user, .ac = ac,
	};

	if (gva % PAGE_SIZE == 0)
		access.gva += op == PAGING_EXEC ? DATA_CODE_OFFSET : DATA_WORD_OFFSET;
	return try_access(cpu, &access);
}

bool paging_try_store(struct paging_cpu *cpu, gva_t gva, uint64_t value)
{
	const struct paging_step access = {
		.op = PAGING_WRITE, .gva = gva, .value = value,
	};

	return try_access(cpu, &access);
}

void paging_try_any(struct paging_cpu *cpu, gva_t gva)
{
	static const enum paging_op ops[] = {
		PAGING_READ, PAGING_READ, PAGING_WRITE, PAGING_EXEC,
	};

	paging_try(cpu, ops[test_random() % 4], gva, test_random() % 2, false);
}

void paging_try_all(struct paging_cpu *cpu)
{
	unsigned int i;

	for (i = 0; i < cpu->p->nr_watched; i++)
		paging_try_any(cpu, cpu->p->watched[i]);
}

uint64_t paging_random_pte(void)
{
	static const uint64_t rights[] = {
		0, 0, PTE_PRESENT_MASK, PTE_RW, PTE_RWU, PTE_RW | PTE_NX_MASK,
		PTE_PRESENT_MASK | PTE_USER_MASK, PTE_RWU | PTE_ACCESSED_MASK,
		PTE_RWU | AD_MASK, PTE_PRESENT_MASK | PTE_USER_MASK | AD_MASK,
	};

	/* Dirty: KVM may make a write to a gap without another walk. */
	if (test_random() % 16 == 0)
		return (PAGING_GAP_GPA + test_random() % 8 * PAGE_SIZE) | PTE_RWU |
		       AD_MASK;
	return pool_data(test_random() % 256) | rights[test_random() % ARRAY_SIZE(rights)];
}

void paging_access(struct paging_cpu *cpu, enum paging_op op, gva_t gva, bool user)
{
	TEST_ERROR_ON(!paging_try(cpu, op, gva, user, false),
		      "the model cannot say what comes of a %s at gva 0x%lx",
		      op_names[op], gva);
}

void paging_write_by(struct paging_cpu *cpu, enum paging_op op, gpa_t gpa,
		     uint64_t value)
{
	add_step(cpu, op, POOL_GVA + (gpa - POOL_GPA), value);
	paging_model_store(cpu->p, gpa, value);
}

void paging_write(struct paging_cpu *cpu, gpa_t gpa, uint64_t value)
{
	paging_write_by(cpu, PAGING_WRITE, gpa, value);
}

void paging_write_across(struct paging_cpu *cpu, gpa_t gpa, uint64_t value,
			 uint64_t next)
{
	const uint64_t half = UINT32_MAX;

	add_step(cpu, PAGING_WRITE_ACROSS, POOL_GVA + (gpa + 4 - POOL_GPA),
		 value >> 32 | next << 32);
	paging_model_store(cpu->p, gpa, (paging_model(cpu->p, gpa) & half) |
			   (value & ~half));
	paging_model_store(cpu->p, gpa + 8, (paging_model(cpu->p, gpa + 8) & ~half) |
			   (next & half));
}

void paging_invlpg(struct paging_cpu *cpu, gva_t gva)
{
	add_step(cpu, PAGING_INVLPG, gva, 0);
	paging_model_flush(cpu, paging_context(cpu), gva);
}

void paging_set_cr3(struct paging_cpu *cpu, uint64_t cr3)
{
	gpa_t root = cr3 & PHYSICAL_PAGE_MASK & ~X86_CR3_NOFLUSH;
	int ctx;

	add_step(cpu, PAGING_SET_CR3, 0, cr3);
	cpu->cr3 = cr3 & ~X86_CR3_NOFLUSH;
	ctx = paging_context(cpu);
	if (!(cr3 & X86_CR3_NOFLUSH))
		paging_model_flush(cpu, ctx, 0);
	else if (cpu->root[ctx] != root)
		memset(cpu->stale[ctx], true, sizeof(cpu->stale[ctx]));
	cpu->root[ctx] = root;
}

void paging_set_wp(struct paging_cpu *cpu, bool on)
{
	cpu->cr0 = on ? cpu->cr0 | X86_CR0_WP : cpu->cr0 & ~X86_CR0_WP;
	add_step(cpu, PAGING_SET_CR0, 0, cpu->cr0);
}

void paging_set_nx(struct paging_cpu *cpu, bool on)
{
	cpu->efer = on ? cpu->efer | EFER_NX : cpu->efer & ~EFER_NX;
	add_step(cpu, PAGING_SET_EFER, 0, cpu->efer);
	paging_flush(cpu);
}

void paging_set_cr4(struct paging_cpu *cpu, uint64_t bits, bool on)
{
	cpu->cr4 = on ? cpu->cr4 | bits : cpu->cr4 & ~bits;
	add_step(cpu, PAGING_SET_CR4, 0, cpu->cr4);
}

void paging_flush_by_pge(struct paging_cpu *cpu)
{
	paging_set_cr4(cpu, X86_CR4_PGE, true);
	paging_set_cr4(cpu, X86_CR4_PGE, false);
	paging_model_flush(cpu, ALL_CONTEXTS, 0);
}

void paging_invpcid(struct paging_cpu *cpu, unsigned int type, unsigned int pcid,
		    gva_t gva)
{
	add_step(cpu, PAGING_INVPCID, gva, type | (uint64_t)pcid << 2);
	paging_model_flush(cpu, type < 2 ? (int)pcid : ALL_CONTEXTS, type ? 0 : gva);
}

void paging_set_pkru(struct paging_cpu *cpu, uint32_t pkru)
{
	cpu->pkru = pkru;
	add_step(cpu, PAGING_SET_PKRU, 0, pkru);
}

void paging_set_by_host(struct paging_cpu *cpu, const struct paging_registers *r)
{
	struct kvm_sregs sregs;

	TEST_ERROR_ON(cpu->box->nr, "orders are pending");
	vcpu_sregs_get(cpu->vcpu, &sregs);
	sregs.cr0 = r->cr0;
	sregs.cr3 = r->cr3;
	sregs.cr4 = r->cr4;
	sregs.efer = r->efer;
	vcpu_sregs_set(cpu->vcpu, &sregs);
	cpu->cr0 = r->cr0;
	cpu->cr3 = r->cr3;
	cpu->cr4 = r->cr4;
	cpu->efer = r->efer;
	cpu->root[paging_context(cpu)] = r->cr3 & PHYSICAL_PAGE_MASK;
	paging_model_flush(cpu, ALL_CONTEXTS, 0);
}

/* ---- running the steps ---- */

static const char *describe_walk(const struct paging_walk *w, char *buf, size_t size)
{
	static const char *const names[] = { "", "PTE", "PDE", "PDPTE", "PML4E", "PML5E" };
	size_t used = 0;
	int l;

	for (l = w->first; w->last && l >= w->last && used < size; l--)
		used += snprintf(buf + used, size - used, "%s 0x%lx at gpa 0x%lx, ",
				 names[l], w->value[l], w->entry[l]);
	return buf;
}

static void describe_outcome(char *buf, size_t size, uint64_t vector, uint64_t ec,
			     uint64_t cr2, bool has_value, uint64_t value)
{
	if (vector == PF_VECTOR)
		snprintf(buf, size, "#PF with error code 0x%lx and CR2 0x%lx", ec, cr2);
	else if (vector)
		snprintf(buf, size, "exception %lu", vector);
	else if (has_value)
		snprintf(buf, size, "0x%lx", value);
	else
		snprintf(buf, size, "no exception");
}

static void __attribute__((noreturn))
step_failed(struct paging_cpu *cpu, uint64_t n, const char *got, const char *what)
{
	const struct paging_step *s = &cpu->box->step[n];
	const struct paging_want *want = &cpu->want[n];
	char walk[320] = "", wanted[128];

	describe_outcome(wanted, sizeof(wanted), want->vector, want->error_code, s->gva,
			 want->has_value, want->value);
	test_fail(ORACLE_DATA, __FILE__, __LINE__, NULL,
		  "%s, step %lu of %lu on vCPU %u: %s at CPL %u, gva 0x%lx, value 0x%lx: want %s%s, got %s; page tables: %sgpa 0x%lx; WP %u, NX %u, SMEP %u, SMAP %u, AC %lu, PKRU 0x%lx, %s",
		  what, n + 1, cpu->box->nr, cpu->vcpu->id, op_names[s->op],
		  s->user ? 3 : 0, s->gva, s->value, want->mmio ? "an MMIO exit and " : "",
		  wanted, got, describe_walk(&want->walk, walk, sizeof(walk)),
		  want->walk.gpa, !!(want->cr0 & X86_CR0_WP), !!(want->efer & EFER_NX),
		  !!(want->cr4 & X86_CR4_SMEP), !!(want->cr4 & X86_CR4_SMAP), s->ac,
		  want->pkru,
		  cpu->p->tdp ? "TDP" : "shadow paging");
}

/* QEMU's TCG forgets the present bit of a fault on a reserved bit. */
static bool same_error_code(struct paging *p, uint64_t got, uint64_t want)
{
	if (p->tdp && want & PFERR_RSVD_MASK && host_may_be_tcg())
		got |= PFERR_PRESENT_MASK;
	return got == want;
}

static void check_step(struct paging_cpu *cpu, uint64_t n, const char *what)
{
	const struct paging_step *s = &cpu->box->step[n];
	const struct paging_want *want = &cpu->want[n];
	char got[128];

	if (s->vector == want->vector &&
	    (!want->vector || (same_error_code(cpu->p, s->error_code, want->error_code) &&
			       s->cr2 == s->gva)) &&
	    (want->vector || !want->has_value ||
	     paging_same_word(cpu->p, want->walk.gpa, s->got, want->value)))
		return;
	describe_outcome(got, sizeof(got), s->vector, s->error_code, s->cr2,
			 want->has_value, s->got);
	step_failed(cpu, n, got, what);
}

/* Exits in the middle of a step; counts how often it had one. */
static void handle_exit(struct paging_cpu *cpu, uint64_t exits[], const char *what)
{
	struct kvm_run *run = cpu->vcpu->run;
	uint64_t n = cpu->box->current;
	struct paging_step *s = &cpu->box->step[n];
	struct paging_want *want = &cpu->want[n];
	char got[256];
	uint32_t word;

	if (run->exit_reason == KVM_EXIT_IO && run->io.port == PAGING_OUTS_PORT &&
	    s->op == PAGING_OUTS && !want->vector) {
		memcpy(&word, (char *)run + run->io.data_offset, sizeof(word));
		snprintf(got, sizeof(got), "0x%x", word);
		want->has_value = true;
		want->value = (uint32_t)want->value;
		if (word != want->value)
			step_failed(cpu, n, got, what);
		s->got = want->value;
	} else if (run->exit_reason == KVM_EXIT_MMIO && want->mmio) {
		struct mmio_access mmio = {
			.gpa = want->gpa, .len = 8,
			.is_write = s->op == PAGING_WRITE,
			.data = s->op == PAGING_READ ? want->value : s->value,
		};

		vcpu_check_mmio(cpu->vcpu, &mmio);
	} else {
		vcpu_describe_exit(cpu->vcpu, got, sizeof(got));
		step_failed(cpu, n, got, what);
	}
	exits[n]++;
}

void paging_run(struct paging_cpu *cpu, const char *fmt, ...)
{
	uint64_t exits[PAGING_MAX_STEPS] = {}, n;
	const char *what = cpu->what;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cpu->what, sizeof(cpu->what), fmt, ap);
	va_end(ap);
	test_step("%s", what);
	for (;;) {
		vcpu_run(cpu->vcpu);
		if (get_ucall(cpu->vcpu, NULL) == UCALL_SYNC)
			break;
		handle_exit(cpu, exits, what);
	}
	for (n = 0; n < cpu->box->nr; n++) {
		bool want = cpu->want[n].mmio ||
			    (cpu->box->step[n].op == PAGING_OUTS && !cpu->want[n].vector);

		if (cpu->box->step[n].op != PAGING_OUTS)
			check_step(cpu, n, what);
		else if (cpu->want[n].vector)
			check_step(cpu, n, what);
		if (exits[n] != want)
			step_failed(cpu, n, exits[n] ? "more exits" : "no exit", what);
	}
	cpu->box->nr = 0;
}
