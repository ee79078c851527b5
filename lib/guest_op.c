// SPDX-License-Identifier: GPL-2.0-only
/* Orders to guests, and the model of their effects, see include/guest_op.h. */
#include <stdlib.h>
#include <string.h>

#include "guest_op.h"
#include "processor.h"
#include "ucall.h"

#define MAX_LEN		16
#define MAX_PAGES	8

/* ---- guest ---- */

/* An order and its result, one per vCPU. */
struct guest_order {
	struct guest_op op;
	uint64_t reg, rax;
	uint64_t rsi, rdi, rcx;
};

static struct guest_order guest_orders[KVM_MAX_TEST_VCPUS];

#define EXEC(insn)							\
	asm volatile(insn : [reg] "+r"(reg), "+a"(rax)			\
		     : [mem] "r"(o->op.gva) : "memory", "cc")

#define EXEC_BY_LEN(b, w, l, q)						\
do {									\
	switch (o->op.len) {						\
	case 1: EXEC(b); break;						\
	case 2: EXEC(w); break;						\
	case 4: EXEC(l); break;						\
	default: EXEC(q); break;					\
	}								\
} while (0)

#define EXEC_REG_MEM(insn)						\
	EXEC_BY_LEN(insn "b %b[reg], (%[mem])", insn "w %w[reg], (%[mem])", \
		    insn "l %k[reg], (%[mem])", insn "q %q[reg], (%[mem])")
#define EXEC_MEM_REG(insn)						\
	EXEC_BY_LEN(insn "b (%[mem]), %b[reg]", insn "w (%[mem]), %w[reg]", \
		    insn "l (%[mem]), %k[reg]", insn "q (%[mem]), %q[reg]")
#define EXEC_MEM(insn)							\
	EXEC_BY_LEN(insn "b (%[mem])", insn "w (%[mem])",		\
		    insn "l (%[mem])", insn "q (%[mem])")

static void guest_exec_one(struct guest_order *o)
{
	uint64_t reg = o->reg, rax = o->rax;

	switch (o->op.insn) {
	case INSN_MOV_READ:
		EXEC_MEM_REG("mov");
		break;
	case INSN_MOV_WRITE:
		EXEC_REG_MEM("mov");
		break;
	case INSN_ADD_READ:
		EXEC_MEM_REG("add");
		break;
	case INSN_INC:
		EXEC_MEM("inc");
		break;
	case INSN_ADD:
		EXEC_REG_MEM("add");
		break;
	case INSN_XCHG:
		EXEC_REG_MEM("xchg");
		break;
	case INSN_LOCK_XADD:
		EXEC_REG_MEM("lock xadd");
		break;
	case INSN_CMPXCHG:
		EXEC_REG_MEM("cmpxchg");
		break;
	case INSN_LOCK_CMPXCHG:
		EXEC_REG_MEM("lock cmpxchg");
		break;
	case INSN_PUSH:
		/* Nothing else uses the stack while it points elsewhere. */
		asm volatile("mov %%rsp, %%r8\n\tlea 8(%[mem]), %%rsp\n\t"
			     "push %[reg]\n\tmov %%r8, %%rsp"
			     : : [reg] "r"(reg), [mem] "r"(o->op.gva)
			     : "r8", "memory");
		break;
	case INSN_ENTER:
		/* An operand may be in RBP, so that changes last. */
		asm volatile("mov %%rsp, %%r8\n\tmov %%rbp, %%r9\n\t"
			     "lea 8(%[mem]), %%rsp\n\tmov %[reg], %%rbp\n\t"
			     "enter $0, $0\n\tmov %%r9, %%rbp\n\tmov %%r8, %%rsp"
			     : : [reg] "r"(reg), [mem] "r"(o->op.gva)
			     : "r8", "r9", "memory");
		break;
	case INSN_MOVUPS:
		asm volatile("movups (%0), %%xmm0\n\tmovups %%xmm0, (%1)"
			     : : "r"(o->op.src), "r"(o->op.gva) : "memory");
		break;
	case INSN_CALL:
		((void (*)(gva_t))o->op.gva)(o->op.src);
		break;
	default:
		GUEST_FAIL("instruction %lu is not for guest_exec_one()",
			   (uint64_t)o->op.insn);
	}
	o->reg = reg;
	o->rax = rax;
}

#define EXEC_REP(insn)							\
	asm volatile(insn : "+a"(o->rax), "+S"(o->rsi), "+D"(o->rdi), "+c"(o->rcx) \
		     : : "memory", "cc")

#define EXEC_REP_BY_LEN(insn)						\
do {									\
	switch (o->op.len) {						\
	case 1: EXEC_REP("rep " insn "b"); break;			\
	case 2: EXEC_REP("rep " insn "w"); break;			\
	case 4: EXEC_REP("rep " insn "l"); break;			\
	default: EXEC_REP("rep " insn "q"); break;			\
	}								\
} while (0)

static void guest_exec_rep(struct guest_order *o)
{
	o->rsi = o->op.src;
	o->rdi = o->op.gva;
	o->rcx = o->op.count;
	/* The compiler counts on DF being clear. */
	if (o->op.backwards)
		asm volatile("std" : : : "cc");
	if (o->op.insn == INSN_REP_MOVS)
		EXEC_REP_BY_LEN("movs");
	else if (o->op.insn == INSN_REP_STOS)
		EXEC_REP_BY_LEN("stos");
	else
		EXEC_REP_BY_LEN("lods");
	asm volatile("cld" : : : "cc");
}

static bool is_rep(enum guest_insn insn)
{
	return insn == INSN_REP_MOVS || insn == INSN_REP_STOS ||
	       insn == INSN_REP_LODS;
}

static void guest_take_orders(struct guest_order *o)
{
	for (;;) {
		GUEST_SYNC(o->op.insn);
		if (is_rep(o->op.insn))
			guest_exec_rep(o);
		else
			guest_exec_one(o);
	}
}

/* ---- host ---- */

static const struct insn_info {
	const char *name;
	bool reads, writes;
	bool moves;		/* reads at src, else at gva */
} insns[NR_INSNS] = {
	[INSN_MOV_READ] = { "mov", true, false, false },
	[INSN_MOV_WRITE] = { "mov", false, true, false },
	[INSN_ADD_READ] = { "add", true, false, false },
	[INSN_INC] = { "inc", true, true, false },
	[INSN_ADD] = { "add", true, true, false },
	[INSN_XCHG] = { "xchg", true, true, false },
	[INSN_LOCK_XADD] = { "lock xadd", true, true, false },
	[INSN_CMPXCHG] = { "cmpxchg", true, true, false },
	[INSN_LOCK_CMPXCHG] = { "lock cmpxchg", true, true, false },
	[INSN_PUSH] = { "push", false, true, false },
	[INSN_ENTER] = { "enter", false, true, false },
	[INSN_MOVUPS] = { "movups", true, true, true },
	[INSN_REP_MOVS] = { "rep movs", true, true, true },
	[INSN_REP_STOS] = { "rep stos", false, true, false },
	[INSN_REP_LODS] = { "rep lods", true, false, true },
	[INSN_CALL] = { "call", false, false, false },
};

const char *guest_insn_name(enum guest_insn insn)
{
	return insns[insn].name;
}

struct kvm_vcpu *vm_op_vcpu_add(struct kvm_vm *vm, uint32_t id)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, id, guest_take_orders);

	vcpu_args_set(vcpu, 1, &guest_orders[id]);
	vcpu_expect_sync(vcpu, 0);
	return vcpu;
}

struct kvm_vm *vm_create_with_op_vcpus(uint32_t nr_vcpus, struct kvm_vcpu *vcpus[])
{
	struct kvm_vm *vm = vm_create(nr_vcpus);
	uint32_t i;

	for (i = 0; i < nr_vcpus; i++)
		vcpus[i] = vm_op_vcpu_add(vm, i);
	return vm;
}

size_t guest_op_written(const struct guest_op *op, gva_t *first)
{
	size_t size = op->len * (is_rep(op->insn) ? op->count : 1);

	*first = op->backwards ? op->gva + op->len - size : op->gva;
	return insns[op->insn].writes ? size : 0;
}

static struct guest_order *order_of(struct kvm_vcpu *vcpu)
{
	return addr_gva2hva(vcpu->vm, (gva_t)&guest_orders[vcpu->id]);
}

void vcpu_order_op(struct kvm_vcpu *vcpu, const struct guest_op *op)
{
	order_of(vcpu)->op = *op;
}

/* RAM pages that the instruction touches, as they must be when it is done. */
struct mirror {
	unsigned int nr;
	struct {
		gpa_t gpa;
		uint8_t want[PAGE_SIZE];
	} page[MAX_PAGES];
};

static uint8_t *mirror_of(struct mirror *m, struct kvm_vm *vm, gpa_t gpa)
{
	gpa_t page = align_down(gpa, PAGE_SIZE);
	unsigned int i;

	for (i = 0; i < m->nr && m->page[i].gpa != page; i++)
		;
	if (i == m->nr) {
		TEST_ERROR_ON(i == MAX_PAGES, "an instruction that touches too many pages");
		m->nr++;
		m->page[i].gpa = page;
		memcpy(m->page[i].want, addr_gpa2hva(vm, page), PAGE_SIZE);
	}
	return &m->page[i].want[gpa - page];
}

static void mirror_check(struct mirror *m, struct kvm_vm *vm)
{
	char where[256];
	unsigned int i, j;

	for (i = 0; i < m->nr; i++) {
		uint8_t *got = addr_gpa2hva(vm, m->page[i].gpa);

		if (!memcmp(got, m->page[i].want, PAGE_SIZE))
			continue;
		for (j = 0; got[j] == m->page[i].want[j]; j++)
			;
		TEST_FAIL("the byte at gpa 0x%lx (%s) is 0x%02x, want 0x%02x",
			  m->page[i].gpa + j,
			  vm_describe_gpa(vm, m->page[i].gpa, where, sizeof(where)),
			  got[j], m->page[i].want[j]);
	}
}

/* One instruction in flight. */
struct run {
	struct kvm_vcpu *vcpu;
	const struct guest_op *op;
	struct mirror mirror;
};

void next_access_piece(struct kvm_vm *vm, gva_t gva, unsigned int size,
		       bool is_write, struct access_piece *p)
{
	struct userspace_mem_region *region;

	p->start += p->len;
	gva += p->start;
	p->gpa = addr_gva2gpa(vm, gva);
	region = vm_find_gpa(vm, p->gpa);
	p->exits = !region || (is_write && (region->flags & KVM_MEM_READONLY));
	p->len = PAGE_SIZE - gva % PAGE_SIZE;
	if (p->len > size - p->start)
		p->len = size - p->start;
	if (p->exits && p->len > 8)
		p->len = 8;
}

/* Fills the bytes of @value that come from RAM; the others stay random. */
static void fill_from_ram(struct run *r, gva_t gva, unsigned int size,
			  uint8_t *value)
{
	struct access_piece p;

	for_each_access_piece(r->vcpu->vm, gva, size, false, p) {
		if (!p.exits)
			memcpy(value + p.start,
			       mirror_of(&r->mirror, r->vcpu->vm, p.gpa), p.len);
	}
}

static void expect_read(struct run *r, gva_t gva, unsigned int size,
			const uint8_t *value)
{
	struct mmio_access want;
	struct access_piece p;

	for_each_access_piece(r->vcpu->vm, gva, size, false, p) {
		if (!p.exits)
			continue;
		want = (struct mmio_access){ .gpa = p.gpa, .len = p.len };
		memcpy(&want.data, value + p.start, p.len);
		vcpu_expect_mmio(r->vcpu, &want);
	}
}

static void expect_write(struct run *r, gva_t gva, unsigned int size,
			 const uint8_t *value)
{
	struct mmio_access want;
	struct access_piece p;

	for_each_access_piece(r->vcpu->vm, gva, size, true, p) {
		if (!p.exits) {
			memcpy(mirror_of(&r->mirror, r->vcpu->vm, p.gpa),
			       value + p.start, p.len);
			continue;
		}
		want = (struct mmio_access){ .gpa = p.gpa, .len = p.len,
					     .is_write = true };
		memcpy(&want.data, value + p.start, p.len);
		vcpu_expect_mmio(r->vcpu, &want);
	}
}

/* A register after a write of @len bytes to it: 4 bytes clear the upper half. */
static uint64_t merge(uint64_t reg, uint64_t value, unsigned int len)
{
	uint64_t mask = len < 8 ? BIT_ULL(len * 8) - 1 : ~0ULL;

	return (len == 4 ? 0 : reg & ~mask) | (value & mask);
}

struct outcome {
	uint64_t mem, reg, rax;
};

static struct outcome compute(const struct guest_op *op, uint64_t old, uint64_t reg,
			      uint64_t rax)
{
	struct outcome o = { .mem = old, .reg = reg, .rax = rax };

	switch (op->insn) {
	case INSN_MOV_READ:
		o.reg = merge(reg, old, op->len);
		break;
	case INSN_ADD_READ:
		o.reg = merge(reg, old + reg, op->len);
		break;
	case INSN_MOV_WRITE:
	case INSN_PUSH:
	case INSN_ENTER:
		o.mem = reg;
		break;
	case INSN_INC:
		o.mem = old + 1;
		break;
	case INSN_ADD:
		o.mem = old + reg;
		break;
	case INSN_XCHG:
		o.mem = reg;
		o.reg = merge(reg, old, op->len);
		break;
	case INSN_LOCK_XADD:
		o.mem = old + reg;
		o.reg = merge(reg, old, op->len);
		break;
	case INSN_CMPXCHG:
	case INSN_LOCK_CMPXCHG:
		if (op->match)
			o.mem = reg;
		else
			o.rax = merge(rax, old, op->len);
		break;
	default:
		break;
	}
	return o;
}

static void do_one(struct run *r, struct guest_order *order)
{
	const struct insn_info *info = &insns[r->op->insn];
	uint64_t old[2] = { test_random(), test_random() }, held;
	struct outcome want;

	fill_from_ram(r, info->moves ? r->op->src : r->op->gva, r->op->len,
		      (uint8_t *)old);
	order->reg = test_random();
	order->rax = r->op->match ? merge(test_random(), old[0], r->op->len) : ~old[0];
	want = compute(r->op, old[0], order->reg, order->rax);

	if (info->reads)
		expect_read(r, info->moves ? r->op->src : r->op->gva, r->op->len,
			    (uint8_t *)old);
	held = old[0];
	old[0] = want.mem;
	if (info->writes)
		expect_write(r, r->op->gva, r->op->len, (uint8_t *)old);
	vcpu_expect_sync(r->vcpu, r->op->insn);
	TEST_ASSERT(order->reg == want.reg && order->rax == want.rax,
		    "memory held 0x%lx; the instruction's register is 0x%lx, want 0x%lx; rax is 0x%lx, want 0x%lx",
		    held, order->reg, want.reg, order->rax, want.rax);
}

static void do_rep(struct run *r, struct guest_order *order)
{
	const struct insn_info *info = &insns[r->op->insn];
	int64_t step = r->op->backwards ? -(int64_t)r->op->len : r->op->len;
	gva_t src = r->op->src, dst = r->op->gva;
	uint64_t rax = test_random(), value, i;

	order->rax = rax;
	for (i = 0; i < r->op->count; i++) {
		value = info->reads ? test_random() : rax;
		if (info->reads) {
			fill_from_ram(r, src, r->op->len, (uint8_t *)&value);
			expect_read(r, src, r->op->len, (uint8_t *)&value);
			src += step;
		}
		if (info->writes) {
			expect_write(r, dst, r->op->len, (uint8_t *)&value);
			dst += step;
		}
		if (r->op->insn == INSN_REP_LODS)
			rax = merge(rax, value, r->op->len);
	}
	vcpu_expect_sync(r->vcpu, r->op->insn);
	TEST_ASSERT(order->rsi == src && order->rdi == dst && !order->rcx &&
		    order->rax == rax,
		    "rsi 0x%lx, want 0x%lx; rdi 0x%lx, want 0x%lx; rcx %lu, want 0; rax 0x%lx, want 0x%lx",
		    order->rsi, src, order->rdi, dst, order->rcx, order->rax, rax);
}

static void describe(struct kvm_vcpu *vcpu, const struct guest_op *op)
{
	const struct insn_info *info = &insns[op->insn];
	char rep[64] = "", from[48] = "";

	if (is_rep(op->insn))
		snprintf(rep, sizeof(rep), ", %lu times %s", op->count,
			 op->backwards ? "backwards" : "forwards");
	if (info->moves)
		snprintf(from, sizeof(from), " from gpa 0x%lx",
			 addr_gva2gpa(vcpu->vm, op->src));
	test_step("vCPU %u: %s, %s of %u bytes%s, gpa 0x%lx%s", vcpu->id, info->name,
		  info->reads && info->writes && !info->moves ? "read and write" :
		  info->writes ? "write" : "read", op->len, rep,
		  addr_gva2gpa(vcpu->vm, op->insn == INSN_REP_LODS ? op->src : op->gva),
		  from);
}

void vcpu_do_op(struct kvm_vcpu *vcpu, const struct guest_op *op)
{
	static __thread struct run r;

	r = (struct run){ .vcpu = vcpu, .op = op };
	describe(vcpu, op);
	vcpu_order_op(vcpu, op);
	if (is_rep(op->insn))
		do_rep(&r, order_of(vcpu));
	else
		do_one(&r, order_of(vcpu));
	mirror_check(&r.mirror, vcpu->vm);
}
