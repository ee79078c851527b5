/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One instruction, executed twice from the same registers: by the CPU on RAM, and
 * by KVM's emulator on a gap that user space answers for out of a copy of that
 * RAM. Nobody could tell the two apart: registers, flags and memory must be the
 * same afterwards, and the gap's exits those of the instruction's accesses.
 *
 * Two vCPUs have page tables of their own. A window of virtual addresses is RAM
 * for one, and for the other gap pages (neighbours' gpas are swapped), then RAM,
 * then gap pages again.
 */
#ifndef SELFTEST_KVM_INSN_TWIN_H
#define SELFTEST_KVM_INSN_TWIN_H

#include "kvm_util.h"

#define TWIN_GAP_PAGES		1024
#define TWIN_RAM_PAGES		16
#define TWIN_TAIL_PAGES		2	/* gap again */
#define TWIN_PAGES		(TWIN_GAP_PAGES + TWIN_RAM_PAGES + TWIN_TAIL_PAGES)

/* The symbol twin_window, in reach of the code's RIP-relative operands. */
#define TWIN_WINDOW		0x40000000
#define TWIN_GVA		((gva_t)TWIN_WINDOW)
#define TWIN_RAM_GVA		(TWIN_GVA + TWIN_GAP_PAGES * PAGE_SIZE)
#define TWIN_TAIL_GVA		(TWIN_RAM_GVA + TWIN_RAM_PAGES * PAGE_SIZE)

#define TWIN_GAP_GPA		0xc0000000UL

/* Ports: the end of an instruction; and the one for INS and OUTS. */
#define TWIN_END_PORT		0x80
#define TWIN_DATA_PORT		0x90

/* What the architecture lets an instruction leave in RFLAGS. */
#define TWIN_CF			0x001
#define TWIN_PF			0x004
#define TWIN_AF			0x010
#define TWIN_ZF			0x040
#define TWIN_SF			0x080
#define TWIN_DF			0x400
#define TWIN_OF			0x800
#define TWIN_ARITH_FLAGS	0x8d5

/* Of an instruction: */
#define TWIN_READS		0x01	/* its operand */
#define TWIN_WRITES		0x02
#define TWIN_LOCKED		0x04	/* LOCK comes first; RAM has it without */
#define TWIN_ALIGNED		0x08	/* not across a page's end */
#define TWIN_MATCH		0x10	/* CMPXCHG, CMPXCHG8B */
#define TWIN_FPU		0x20	/* FPU registers take part */
#define TWIN_DIV		0x40	/* quotient must fit */
#define TWIN_RMW		0x03
/* The stack's, or the source's of strings (the operand is at rdi): */
#define TWIN_PUSHES		0x100
#define TWIN_POPS		0x200
#define TWIN_FROM_RSI		0x400
#define TWIN_TARGET		0x800	/* what it reads is where it goes */

struct twin_insn {
	gva_t start, end;	/* an OUT to TWIN_END_PORT follows */
	const char *text;
	uint64_t len;		/* of the operand */
	uint64_t flags;
	uint64_t undefined;	/* flags in RFLAGS */
};

#define __TWIN_STR(x)	#x
#define TWIN_STR(x)	__TWIN_STR(x)

/*
 * Adds an instruction to a group; its operand is at rdi unless the test knows
 * better. TWIN_GROUP(g) declares the group's first and its end.
 */
#define TWIN_INSN(group, len, flags, undefined, insn)			\
	asm(".pushsection .text\n"					\
	    "771:\t" insn "\n"						\
	    "772:\toutb %al, $" TWIN_STR(TWIN_END_PORT) "\n"		\
	    ".popsection\n"						\
	    ".pushsection .rodata\n"					\
	    "773:\t.asciz \"" insn "\"\n"				\
	    ".popsection\n"						\
	    ".pushsection twin_" #group ", \"a\"\n"			\
	    ".balign 8\n"						\
	    ".quad 771b, 772b, 773b, " TWIN_STR(len) ", "		\
	    TWIN_STR(flags) ", " TWIN_STR(undefined) "\n"		\
	    ".popsection")

#define TWIN_GROUP(group)						\
	extern const struct twin_insn __start_twin_##group[],		\
				      __stop_twin_##group[]

#define TWIN_EACH_SIZE(group, flags, undefined, before, op, operands)	\
	TWIN_INSN(group, 1, flags, undefined, before op "b " operands);	\
	TWIN_INSN(group, 2, flags, undefined, before op "w " operands);	\
	TWIN_INSN(group, 4, flags, undefined, before op "l " operands);	\
	TWIN_INSN(group, 8, flags, undefined, before op "q " operands)

#define for_each_twin_insn(insn, group)					\
	for (insn = __start_twin_##group; insn < __stop_twin_##group; insn++)

struct twin_access {
	gva_t gva;
	unsigned int len;
	bool is_write;
};

#define TWIN_MAX_ACCESSES	128
#define TWIN_MAX_PORT_BYTES	256

struct twin_op {
	const struct twin_insn *insn;
	struct kvm_regs regs;		/* before it; RIP is the insn's */
	struct kvm_fpu fpu;		/* with TWIN_FPU */
	/* What it does to memory, in KVM's order; no byte is written twice. */
	struct twin_access access[TWIN_MAX_ACCESSES];
	unsigned int nr;
	gva_t end;			/* if that is not behind the instruction */
};

struct twin {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[2];	/* on RAM, on the gap */
	struct backing_mem mem[2];
	gva_t rsp;
	gva_t fresh;			/* next page that nobody touched */
	struct kvm_regs after;		/* the last instruction */
	uint8_t port_data[2][TWIN_MAX_PORT_BYTES];
	unsigned int port_bytes[2];
	bool read_regs;			/* user space looks at them at each exit */
};

enum { TWIN_ON_RAM, TWIN_ON_GAP };

/*
 * What no KVM does right so far is left out, with a line that says so, unless
 * --set known_bugs=1 asks for it.
 */
bool twin_unfixed(const char *what);

void twin_create(struct twin *t);
void twin_free(struct twin *t);

/* @npages of the gap that were not touched yet, with random bytes behind them. */
gva_t twin_fresh_pages(struct twin *t, unsigned int npages);
/* What memory holds at @gva now: RAM's. The gap's is the same between two ops. */
void *twin_mem(struct twin *t, gva_t gva);
/* The same for both. */
void twin_mem_write(struct twin *t, gva_t gva, const void *data, size_t len);

/* Random registers and flags; @gva is in rdi, rsp is the guest's stack. */
void twin_op_init(struct twin *t, struct twin_op *op,
		  const struct twin_insn *insn, gva_t gva);
void twin_op_access(struct twin_op *op, gva_t gva, unsigned int len, bool is_write);

/* Executes it on both and compares everything. */
void twin_exec(struct twin *t, const struct twin_op *op);
/* As above, in two steps; the first may tell how the accesses must be. */
void twin_exec_on_ram(struct twin *t, const struct twin_op *op);
void twin_exec_on_gap(struct twin *t, const struct twin_op *op);

/*
 * For a test that handles the exits itself: runs to the first one; checks the
 * last one, which must be for piece @n of the accesses, and answers it (false
 * when there are not so many); compares all that comes of the instruction.
 */
void twin_start_on_gap(struct twin *t, const struct twin_op *op);
bool twin_check_piece(struct twin *t, const struct twin_op *op, unsigned int n);
void twin_compare(struct twin *t, const struct twin_op *op);

#endif /* SELFTEST_KVM_INSN_TWIN_H */
