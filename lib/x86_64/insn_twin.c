// SPDX-License-Identifier: GPL-2.0-only
/* One instruction on RAM and on a gap; see insn_twin.h. */
#include <string.h>

#include "guest_op.h"
#include "insn_twin.h"
#include "kvm_test.h"
#include "processor.h"

#define RAM_GPA		0x80000000UL
#define RAM_SLOT	1
#define GAP_SLOT	2	/* of the RAM between the gap's pages */

/* For RIP-relative operands: TWIN_GVA, as a symbol that the linker resolves. */
asm(".globl twin_window\n.set twin_window, " TWIN_STR(TWIN_WINDOW));

static const char *const side_names[] = { "on RAM", "on the gap" };

bool twin_unfixed(const char *what)
{
	bool tried = kvm_test_option("known_bugs", 0);

	if (!tried)
		pr_info("not tried: KVM %s (--set known_bugs=1 to see)", what);
	return tried;
}

/* ---- the two worlds ---- */

static gpa_t gap_gpa(size_t page)
{
	/* An access that crosses a page's end goes on somewhere else. */
	if (page < TWIN_GAP_PAGES)
		page ^= 1;
	return TWIN_GAP_GPA + page * PAGE_SIZE;
}

static void set_page_tables(struct kvm_vcpu *vcpu, gpa_t pgd)
{
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	sregs.cr3 = pgd;
	vcpu_sregs_set(vcpu, &sregs);
}

void twin_free(struct twin *t)
{
	kvm_vm_free(t->vm);
	backing_mem_free(&t->mem[TWIN_ON_RAM]);
	backing_mem_free(&t->mem[TWIN_ON_GAP]);
}

static void *side_mem(struct twin *t, int side, gva_t gva)
{
	TEST_ERROR_ON(gva < TWIN_GVA || gva >= TWIN_GVA + TWIN_PAGES * PAGE_SIZE,
		      "gva 0x%lx is not in the window", gva);
	return (char *)t->mem[side].hva + (gva - TWIN_GVA);
}

void *twin_mem(struct twin *t, gva_t gva)
{
	return side_mem(t, TWIN_ON_RAM, gva);
}

void twin_mem_write(struct twin *t, gva_t gva, const void *data, size_t len)
{
	memcpy(side_mem(t, TWIN_ON_RAM, gva), data, len);
	memcpy(side_mem(t, TWIN_ON_GAP, gva), data, len);
}

static void fill(struct twin *t, gva_t gva, size_t npages)
{
	gva_t end = gva + npages * PAGE_SIZE;
	uint64_t word;

	for (; gva < end; gva += sizeof(word)) {
		word = test_random();
		twin_mem_write(t, gva, &word, sizeof(word));
	}
}

gva_t twin_fresh_pages(struct twin *t, unsigned int npages)
{
	gva_t gva = t->fresh;

	t->fresh += npages * PAGE_SIZE;
	TEST_ERROR_ON(t->fresh > TWIN_RAM_GVA, "no page is left that nobody touched");
	fill(t, gva, npages);
	return gva;
}

void twin_create(struct twin *t)
{
	struct kvm_regs regs;
	gpa_t pgd[2];
	size_t i;

	memset(t, 0, sizeof(*t));
	t->vm = vm_create_with_vcpus(2, (void *)TWIN_GVA, t->vcpu);
	t->fresh = TWIN_GVA;
	vcpu_regs_get(t->vcpu[0], &regs);
	t->rsp = regs.rsp;
	for (i = 0; i < 2; i++)
		backing_mem_alloc(&t->mem[i], VM_MEM_SRC_ANONYMOUS,
				  TWIN_PAGES * PAGE_SIZE, 0);
	vm_mem_region_add_backing(t->vm, &t->mem[TWIN_ON_RAM], t->mem[TWIN_ON_RAM].hva,
				  RAM_GPA, RAM_SLOT, TWIN_PAGES, 0);
	vm_mem_region_add_backing(t->vm, &t->mem[TWIN_ON_GAP],
				  (char *)t->mem[TWIN_ON_GAP].hva + TWIN_RAM_GVA - TWIN_GVA,
				  gap_gpa(TWIN_GAP_PAGES), GAP_SLOT, TWIN_RAM_PAGES, 0);

	/* The window's own 1G of page tables; all else is shared. */
	pgd[TWIN_ON_RAM] = virt_copy_root(t->vm, PG_LEVEL_1G);
	pgd[TWIN_ON_GAP] = t->vm->pgd;
	for (i = 0; i < TWIN_PAGES; i++)
		virt_pg_map(t->vm, TWIN_GVA + i * PAGE_SIZE, gap_gpa(i));
	t->vm->pgd = pgd[TWIN_ON_RAM];
	virt_map(t->vm, TWIN_GVA, RAM_GPA, TWIN_PAGES);
	/*
	 * Dirty, so that shadow paging lets the first read through with the write
	 * behind it: an emulated CPU (QEMU 7.2's RCL) has lost CF when that faults.
	 */
	for (i = 0; i < TWIN_PAGES; i++)
		*vm_get_pte(t->vm, TWIN_GVA + i * PAGE_SIZE, NULL) |=
			PTE_ACCESSED_MASK | PTE_DIRTY_MASK;
	/* The library's idea of a gva is the gap's. */
	t->vm->pgd = pgd[TWIN_ON_GAP];
	set_page_tables(t->vcpu[TWIN_ON_RAM], pgd[TWIN_ON_RAM]);
	fill(t, TWIN_RAM_GVA - PAGE_SIZE, 1 + TWIN_RAM_PAGES + TWIN_TAIL_PAGES);
}

/* ---- one instruction ---- */

static void fpu_init(struct kvm_fpu *fpu)
{
	uint64_t *word;

	memset(fpu, 0, sizeof(*fpu));
	fpu->fcw = 0x37f;
	fpu->mxcsr = 0x1f80;
	for (word = (uint64_t *)fpu->xmm; word < (uint64_t *)(fpu->xmm + 16); word++)
		*word = test_random();
}

void twin_op_init(struct twin *t, struct twin_op *op,
		  const struct twin_insn *insn, gva_t gva)
{
	uint64_t *gpr = (uint64_t *)&op->regs;
	unsigned int i;

	op->insn = insn;
	op->nr = 0;
	op->end = insn->end;
	/* rax to r15 come first in struct kvm_regs. */
	for (i = 0; i < 16; i++)
		gpr[i] = test_random();
	op->regs.rip = insn->start;
	op->regs.rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF |
			  (test_random() & TWIN_ARITH_FLAGS);
	op->regs.rdi = gva;
	op->regs.rsp = t->rsp;
	if (insn->flags & TWIN_FPU)
		fpu_init(&op->fpu);
}

void twin_op_access(struct twin_op *op, gva_t gva, unsigned int len, bool is_write)
{
	TEST_ERROR_ON(op->nr == TWIN_MAX_ACCESSES, "too many accesses");
	op->access[op->nr++] = (struct twin_access){ gva, len, is_write };
}

static uint8_t port_byte(unsigned int n)
{
	return 0x5a ^ n * 7;
}

static void serve_port(struct twin *t, int side)
{
	struct kvm_run *run = t->vcpu[side]->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	unsigned int i, n = run->io.size * run->io.count;

	TEST_ASSERT_ORACLE(ORACLE_EXIT, t->port_bytes[side] + n <= TWIN_MAX_PORT_BYTES,
			   "%s: %u bytes too many for the port", side_names[side], n);
	for (i = 0; i < n; i++) {
		if (run->io.direction == KVM_EXIT_IO_IN)
			data[i] = port_byte(t->port_bytes[side]);
		t->port_data[side][t->port_bytes[side]++] = data[i];
	}
}

/* To the next exit that is not for the data port. */
static void run_side(struct twin *t, int side)
{
	struct kvm_run *run = t->vcpu[side]->run;

	vcpu_run(t->vcpu[side]);
	while (run->exit_reason == KVM_EXIT_IO && run->io.port == TWIN_DATA_PORT) {
		serve_port(t, side);
		vcpu_run(t->vcpu[side]);
	}
}

static void check_end(struct twin *t, int side, const struct twin_op *op)
{
	struct kvm_run *run = t->vcpu[side]->run;
	struct kvm_regs regs;
	char want[256];

	snprintf(want, sizeof(want), "the end of \"%s\" %s", op->insn->text,
		 side_names[side]);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != TWIN_END_PORT)
		vcpu_unexpected_exit(t->vcpu[side], want);
	vcpu_regs_get(t->vcpu[side], &regs);
	TEST_ASSERT(regs.rip == op->end,
		    "at the end of \"%s\" %s rip is 0x%llx, want 0x%lx (it began at 0x%lx)",
		    op->insn->text, side_names[side], regs.rip, op->end,
		    op->insn->start);
}

static void start_side(struct twin *t, int side, const struct twin_op *op)
{
	struct kvm_regs regs = op->regs;
	struct kvm_fpu fpu = op->fpu;

	/* Hosts can be set to trap a LOCK across cache lines. */
	if (side == TWIN_ON_RAM && op->insn->flags & TWIN_LOCKED)
		regs.rip++;
	t->port_bytes[side] = 0;
	vcpu_regs_set(t->vcpu[side], &regs);
	if (op->insn->flags & TWIN_FPU)
		vcpu_ioctl(t->vcpu[side], KVM_SET_FPU, &fpu);
	run_side(t, side);
}

void twin_exec_on_ram(struct twin *t, const struct twin_op *op)
{
	start_side(t, TWIN_ON_RAM, op);
	check_end(t, TWIN_ON_RAM, op);
}

void twin_start_on_gap(struct twin *t, const struct twin_op *op)
{
	start_side(t, TWIN_ON_GAP, op);
}

/* The exit must be this piece of the access; it is answered, or its data kept. */
static void check_piece(struct twin *t, const struct twin_access *a,
			const struct access_piece *p)
{
	struct mmio_access want = {
		.gpa = p->gpa, .len = p->len, .is_write = a->is_write,
	};
	gva_t gva = a->gva + p->start;

	/* What is written, the CPU has written to RAM already. */
	memcpy(&want.data, side_mem(t, a->is_write ? TWIN_ON_RAM : TWIN_ON_GAP, gva),
	       p->len);
	vcpu_check_mmio(t->vcpu[TWIN_ON_GAP], &want);
	if (a->is_write)
		memcpy(side_mem(t, TWIN_ON_GAP, gva), &want.data, p->len);
}

bool twin_check_piece(struct twin *t, const struct twin_op *op, unsigned int n)
{
	const struct twin_access *a;
	struct access_piece p;

	for (a = op->access; a < op->access + op->nr; a++) {
		for_each_access_piece(t->vm, a->gva, a->len, a->is_write, p) {
			if (!p.exits || n--)
				continue;
			check_piece(t, a, &p);
			return true;
		}
	}
	return false;
}

static void compare_regs(struct twin *t, const struct twin_op *op)
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9",
		"r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
	};
	const uint64_t *before = (const uint64_t *)&op->regs;
	struct kvm_regs regs[2];
	uint64_t *want = (uint64_t *)&regs[TWIN_ON_RAM];
	uint64_t *got = (uint64_t *)&regs[TWIN_ON_GAP];
	unsigned int i;

	vcpu_regs_get(t->vcpu[TWIN_ON_RAM], &regs[TWIN_ON_RAM]);
	vcpu_regs_get(t->vcpu[TWIN_ON_GAP], &regs[TWIN_ON_GAP]);
	t->after = regs[TWIN_ON_GAP];
	regs[TWIN_ON_RAM].rflags &= ~op->insn->undefined;
	regs[TWIN_ON_GAP].rflags &= ~op->insn->undefined;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		TEST_ASSERT(want[i] == got[i],
			    "after \"%s\" on the gap %s is 0x%lx, on RAM it is 0x%lx; before it was 0x%lx, with rax 0x%llx, rbx 0x%llx, rcx 0x%llx, rdx 0x%llx, rflags 0x%llx",
			    op->insn->text, names[i], got[i], want[i], before[i],
			    op->regs.rax, op->regs.rbx, op->regs.rcx, op->regs.rdx,
			    op->regs.rflags);
}

static void compare_fpu(struct twin *t, const struct twin_op *op)
{
	struct kvm_fpu fpu[2];
	unsigned int i;

	vcpu_ioctl(t->vcpu[TWIN_ON_RAM], KVM_GET_FPU, &fpu[TWIN_ON_RAM]);
	vcpu_ioctl(t->vcpu[TWIN_ON_GAP], KVM_GET_FPU, &fpu[TWIN_ON_GAP]);
	for (i = 0; i < 16; i++) {
		uint64_t *want = (uint64_t *)fpu[TWIN_ON_RAM].xmm[i];
		uint64_t *got = (uint64_t *)fpu[TWIN_ON_GAP].xmm[i];

		TEST_ASSERT(want[0] == got[0] && want[1] == got[1],
			    "after \"%s\" on the gap xmm%u is 0x%016lx%016lx, on RAM it is 0x%016lx%016lx",
			    op->insn->text, i, got[1], got[0], want[1], want[0]);
	}
	/* The low half of an x87 register is the MMX register. */
	for (i = 0; i < 8; i++)
		TEST_ASSERT(!memcmp(fpu[TWIN_ON_RAM].fpr[i], fpu[TWIN_ON_GAP].fpr[i], 8),
			    "after \"%s\" on the gap mm%u is 0x%lx, on RAM it is 0x%lx",
			    op->insn->text, i, *(uint64_t *)fpu[TWIN_ON_GAP].fpr[i],
			    *(uint64_t *)fpu[TWIN_ON_RAM].fpr[i]);
}

static void compare_page(struct twin *t, const struct twin_op *op, gva_t gva)
{
	const uint8_t *want = side_mem(t, TWIN_ON_RAM, align_down(gva, PAGE_SIZE));
	const uint8_t *got = side_mem(t, TWIN_ON_GAP, align_down(gva, PAGE_SIZE));
	char where[256];
	size_t i;
	gpa_t gpa;

	if (!memcmp(want, got, PAGE_SIZE))
		return;
	for (i = 0; want[i] == got[i]; i++)
		;
	gpa = addr_gva2gpa(t->vm, align_down(gva, PAGE_SIZE) + i);
	TEST_FAIL("after \"%s\" the byte at gpa 0x%lx (%s) is 0x%02x, on RAM it is 0x%02x",
		  op->insn->text, gpa, vm_describe_gpa(t->vm, gpa, where, sizeof(where)),
		  got[i], want[i]);
}

static void compare_port(struct twin *t, const struct twin_op *op)
{
	unsigned int i, n = t->port_bytes[TWIN_ON_GAP];

	TEST_ASSERT(t->port_bytes[TWIN_ON_RAM] == n,
		    "\"%s\" on the gap moved %u bytes through the port, on RAM %u",
		    op->insn->text, n, t->port_bytes[TWIN_ON_RAM]);
	for (i = 0; i < n; i++)
		TEST_ASSERT(t->port_data[0][i] == t->port_data[1][i],
			    "byte %u through the port of \"%s\" on the gap is 0x%02x, on RAM 0x%02x",
			    i, op->insn->text, t->port_data[TWIN_ON_GAP][i],
			    t->port_data[TWIN_ON_RAM][i]);
}

void twin_compare(struct twin *t, const struct twin_op *op)
{
	const struct twin_access *a;

	compare_regs(t, op);
	if (op->insn->flags & TWIN_FPU)
		compare_fpu(t, op);
	for (a = op->access; a < op->access + op->nr; a++) {
		compare_page(t, op, a->gva);
		compare_page(t, op, a->gva + a->len - 1);
	}
	compare_port(t, op);
}

/*
 * A string is as far as its elements, one of which is done when it is written; a read
 * is still to come.
 */
static void check_progress(struct twin *t, const struct twin_op *op,
			   const struct twin_access *a)
{
	const bool two = op->insn->flags & TWIN_FROM_RSI && op->insn->flags & TWIN_RMW;
	uint64_t want, done = (a - op->access) / (two ? 2 : 1) + a->is_write;
	struct kvm_regs regs;

	vcpu_regs_get(t->vcpu[TWIN_ON_GAP], &regs);
	want = op->regs.rcx - (strncmp(op->insn->text, "rep", 3) ? 0 : done);
	TEST_ASSERT(regs.rcx == want,
		    "\"%s\" on the gap exits for a %s of its element %lu, and rcx is 0x%llx, want 0x%lx",
		    op->insn->text, a->is_write ? "write" : "read", done + !a->is_write,
		    regs.rcx, want);
}

void twin_exec_on_gap(struct twin *t, const struct twin_op *op)
{
	const struct twin_access *a;
	struct access_piece p;

	twin_start_on_gap(t, op);
	for (a = op->access; a < op->access + op->nr; a++) {
		for_each_access_piece(t->vm, a->gva, a->len, a->is_write, p) {
			if (!p.exits)
				continue;
			check_piece(t, a, &p);
			if (t->read_regs)
				check_progress(t, op, a);
			run_side(t, TWIN_ON_GAP);
		}
	}
	check_end(t, TWIN_ON_GAP, op);
	twin_compare(t, op);
}

void twin_exec(struct twin *t, const struct twin_op *op)
{
	twin_exec_on_ram(t, op);
	twin_exec_on_gap(t, op);
}
