/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instructions of mmio_emulation_test, in the groups of its cases. Operands
 * are at rdi, the registers rax, rbx, rcx and r9 take part.
 */
#ifndef SELFTEST_KVM_MMIO_EMULATION_INSNS_H
#define SELFTEST_KVM_MMIO_EMULATION_INSNS_H

#include "insn_twin.h"

/* AND, OR, XOR and TEST leave AF undefined, shifts OF as well. */
#define NO_AF	TWIN_AF
#define NO_AFOF	(TWIN_AF | TWIN_OF)
#define NO_BIT	(TWIN_PF | TWIN_AF | TWIN_SF | TWIN_OF)
#define NO_SCAN	(TWIN_ARITH_FLAGS & ~TWIN_ZF)
#define NO_MUL	(TWIN_PF | TWIN_AF | TWIN_ZF | TWIN_SF)
#define NO_DIV	TWIN_ARITH_FLAGS

#define EACH_REG(group, flags, undefined, before, op)			\
	TWIN_INSN(group, 1, flags, undefined, before op "b %bl, (%rdi)"); \
	TWIN_INSN(group, 1, flags, undefined, before op "b %ch, (%rdi)"); \
	TWIN_INSN(group, 2, flags, undefined, before op "w %bx, (%rdi)"); \
	TWIN_INSN(group, 4, flags, undefined, before op "l %ebx, (%rdi)"); \
	TWIN_INSN(group, 8, flags, undefined, before op "q %r9, (%rdi)")

#define EACH_IMMEDIATE(group, flags, undefined, before, op)		\
	TWIN_INSN(group, 1, flags, undefined, before op "b $0x85, (%rdi)"); \
	TWIN_INSN(group, 2, flags, undefined, before op "w $0x9234, (%rdi)"); \
	TWIN_INSN(group, 4, flags, undefined, before op "l $0x92345678, (%rdi)"); \
	TWIN_INSN(group, 8, flags, undefined, before op "q $-0x12345678, (%rdi)")

/* An immediate of 8 bits for an operand of any size. */
#define EACH_SHORT(group, flags, undefined, before, op, imm)		\
	TWIN_INSN(group, 2, flags, undefined, before op "w $" imm ", (%rdi)"); \
	TWIN_INSN(group, 4, flags, undefined, before op "l $" imm ", (%rdi)"); \
	TWIN_INSN(group, 8, flags, undefined, before op "q $" imm ", (%rdi)")

#define EACH_LOAD(group, undefined, op)					\
	TWIN_INSN(group, 1, TWIN_READS, undefined, op "b (%rdi), %bl");	\
	TWIN_INSN(group, 1, TWIN_READS, undefined, op "b (%rdi), %ch");	\
	TWIN_INSN(group, 2, TWIN_READS, undefined, op "w (%rdi), %bx");	\
	TWIN_INSN(group, 4, TWIN_READS, undefined, op "l (%rdi), %ebx"); \
	TWIN_INSN(group, 8, TWIN_READS, undefined, op "q (%rdi), %r9")

#define ALU(op, flags, undefined)					\
	EACH_REG(alu, flags, undefined, "", op);			\
	EACH_LOAD(alu, undefined, op);					\
	EACH_IMMEDIATE(alu, flags, undefined, "", op);			\
	EACH_SHORT(alu, flags, undefined, "", op, "-5")

ALU("add", TWIN_RMW, 0);
ALU("or", TWIN_RMW, NO_AF);
ALU("adc", TWIN_RMW, 0);
ALU("sbb", TWIN_RMW, 0);
ALU("and", TWIN_RMW, NO_AF);
ALU("sub", TWIN_RMW, 0);
ALU("xor", TWIN_RMW, NO_AF);
ALU("cmp", TWIN_READS, 0);
EACH_REG(alu, TWIN_READS, NO_AF, "", "test");
EACH_IMMEDIATE(alu, TWIN_READS, NO_AF, "", "test");
TWIN_EACH_SIZE(alu, TWIN_RMW, 0, "", "not", "(%rdi)");
TWIN_EACH_SIZE(alu, TWIN_RMW, 0, "", "neg", "(%rdi)");
TWIN_EACH_SIZE(alu, TWIN_RMW, 0, "", "inc", "(%rdi)");
TWIN_EACH_SIZE(alu, TWIN_RMW, 0, "", "dec", "(%rdi)");

#define LOCKED_RMW	(TWIN_RMW | TWIN_LOCKED)
#define LOCKED(op, undefined)						\
	EACH_REG(locked, LOCKED_RMW, undefined, "lock; ", op);		\
	EACH_IMMEDIATE(locked, LOCKED_RMW, undefined, "lock; ", op)

LOCKED("add", 0);
LOCKED("or", NO_AF);
LOCKED("adc", 0);
LOCKED("sbb", 0);
LOCKED("and", NO_AF);
LOCKED("sub", 0);
LOCKED("xor", NO_AF);
TWIN_EACH_SIZE(locked, LOCKED_RMW, 0, "lock; ", "not", "(%rdi)");
TWIN_EACH_SIZE(locked, LOCKED_RMW, 0, "lock; ", "neg", "(%rdi)");
TWIN_EACH_SIZE(locked, LOCKED_RMW, 0, "lock; ", "inc", "(%rdi)");
TWIN_EACH_SIZE(locked, LOCKED_RMW, 0, "lock; ", "dec", "(%rdi)");
EACH_SHORT(locked, LOCKED_RMW, NO_BIT, "lock; ", "bts", "9");
EACH_SHORT(locked, LOCKED_RMW, NO_BIT, "lock; ", "btr", "9");
EACH_SHORT(locked, LOCKED_RMW, NO_BIT, "lock; ", "btc", "9");
EACH_REG(locked, LOCKED_RMW, 0, "lock; ", "xadd");
EACH_REG(locked, LOCKED_RMW | TWIN_MATCH, 0, "lock; ", "cmpxchg");
TWIN_INSN(locked, 8, LOCKED_RMW | TWIN_MATCH, 0, "lock; cmpxchg8b (%rdi)");

/* By 1 is a form of its own. With CL it may be by 0, and flags stay. */
#define SHIFT(op, undefined)						\
	TWIN_EACH_SIZE(shift, TWIN_RMW, undefined, "", op, "(%rdi)");	\
	TWIN_EACH_SIZE(shift, TWIN_RMW, undefined | TWIN_OF, "", op, "$3, (%rdi)"); \
	TWIN_EACH_SIZE(shift, TWIN_RMW, undefined | TWIN_OF, "", op, "%cl, (%rdi)")

SHIFT("rol", 0);
SHIFT("ror", 0);
SHIFT("rcl", 0);
SHIFT("rcr", 0);
SHIFT("shl", NO_AF);
SHIFT("shr", NO_AF);
SHIFT("sar", NO_AF);

#define DOUBLE_SHIFT(op, count)						\
	TWIN_INSN(shift, 4, TWIN_RMW, NO_AFOF, op "l " count ", %ebx, (%rdi)"); \
	TWIN_INSN(shift, 8, TWIN_RMW, NO_AFOF, op "q " count ", %rbx, (%rdi)")

DOUBLE_SHIFT("shld", "$5");
DOUBLE_SHIFT("shld", "%cl");
DOUBLE_SHIFT("shrd", "$5");
DOUBLE_SHIFT("shrd", "%cl");

EACH_SHORT(bit, TWIN_READS, NO_BIT, "", "bt", "13");
EACH_SHORT(bit, TWIN_RMW, NO_BIT, "", "bts", "13");
EACH_SHORT(bit, TWIN_RMW, NO_BIT, "", "btr", "13");
EACH_SHORT(bit, TWIN_RMW, NO_BIT, "", "btc", "13");

#define BIT_SCAN(op)							\
	TWIN_INSN(bit, 2, TWIN_READS, NO_SCAN, op "w (%rdi), %bx");	\
	TWIN_INSN(bit, 4, TWIN_READS, NO_SCAN, op "l (%rdi), %ebx");	\
	TWIN_INSN(bit, 8, TWIN_READS, NO_SCAN, op "q (%rdi), %r9")

BIT_SCAN("bsf");
BIT_SCAN("bsr");

#define BIT_NUMBER(op, flags)						\
	TWIN_INSN(bit_number, 2, flags, NO_BIT, op "w %bx, (%rdi)");	\
	TWIN_INSN(bit_number, 4, flags, NO_BIT, op "l %ebx, (%rdi)");	\
	TWIN_INSN(bit_number, 8, flags, NO_BIT, op "q %rbx, (%rdi)")

BIT_NUMBER("bt", TWIN_READS);
BIT_NUMBER("bts", TWIN_RMW);
BIT_NUMBER("btr", TWIN_RMW);
BIT_NUMBER("btc", TWIN_RMW);

#define EXTEND(op, len, suffix)						\
	TWIN_INSN(move, len, TWIN_READS, 0, op suffix "l (%rdi), %ebx"); \
	TWIN_INSN(move, len, TWIN_READS, 0, op suffix "q (%rdi), %r9")

EACH_LOAD(move, 0, "mov");
EACH_REG(move, TWIN_WRITES, 0, "", "mov");
EACH_IMMEDIATE(move, TWIN_WRITES, 0, "", "mov");
TWIN_INSN(move, 1, TWIN_READS, 0, "movzbw (%rdi), %bx");
TWIN_INSN(move, 1, TWIN_READS, 0, "movsbw (%rdi), %bx");
EXTEND("movz", 1, "b");
EXTEND("movs", 1, "b");
EXTEND("movz", 2, "w");
EXTEND("movs", 2, "w");
TWIN_INSN(move, 4, TWIN_READS, 0, "movslq (%rdi), %rbx");
TWIN_INSN(move, 4, TWIN_WRITES, 0, "movntil %ebx, (%rdi)");
TWIN_INSN(move, 8, TWIN_WRITES, 0, "movntiq %r9, (%rdi)");
/* Reads whether it moves or not, and clears the upper half either way. */
TWIN_INSN(move, 2, TWIN_READS, 0, "cmovcw (%rdi), %bx");
TWIN_INSN(move, 4, TWIN_READS, 0, "cmovzl (%rdi), %ebx");
TWIN_INSN(move, 4, TWIN_READS, 0, "cmovnzl (%rdi), %ebx");
TWIN_INSN(move, 8, TWIN_READS, 0, "cmovgq (%rdi), %r9");
TWIN_INSN(move, 1, TWIN_WRITES, 0, "setc (%rdi)");
TWIN_INSN(move, 1, TWIN_WRITES, 0, "setle (%rdi)");
TWIN_INSN(move, 2, TWIN_WRITES, 0, "mov %ds, (%rdi)");
TWIN_INSN(move, 1, 0, 0, "prefetcht0 (%rdi)");
TWIN_INSN(move, 1, 0, 0, "nopw (%rdi)");

/* XCHG is locked by itself. */
EACH_REG(exchange, TWIN_RMW | TWIN_ALIGNED, 0, "", "xchg");
EACH_REG(exchange, TWIN_RMW, 0, "", "xadd");
EACH_REG(exchange, TWIN_RMW | TWIN_MATCH, 0, "", "cmpxchg");
TWIN_INSN(exchange, 8, TWIN_RMW | TWIN_MATCH, 0, "cmpxchg8b (%rdi)");

TWIN_EACH_SIZE(multiply, TWIN_READS, NO_MUL, "", "mul", "(%rdi)");
TWIN_EACH_SIZE(multiply, TWIN_READS, NO_MUL, "", "imul", "(%rdi)");
TWIN_EACH_SIZE(multiply, TWIN_READS | TWIN_DIV, NO_DIV, "", "div", "(%rdi)");
TWIN_EACH_SIZE(multiply, TWIN_READS | TWIN_DIV, NO_DIV, "", "idiv", "(%rdi)");
TWIN_INSN(multiply, 2, TWIN_READS, NO_MUL, "imulw (%rdi), %bx");
TWIN_INSN(multiply, 4, TWIN_READS, NO_MUL, "imull (%rdi), %ebx");
TWIN_INSN(multiply, 8, TWIN_READS, NO_MUL, "imulq (%rdi), %r9");
TWIN_INSN(multiply, 4, TWIN_READS, NO_MUL, "imull $-7, (%rdi), %ebx");
TWIN_INSN(multiply, 8, TWIN_READS, NO_MUL, "imulq $0x12345, (%rdi), %r9");

#define SSE_READ	(TWIN_READS | TWIN_FPU)
#define SSE_WRITE	(TWIN_WRITES | TWIN_FPU)
#define SSE_MOVE(op, flags)						\
	TWIN_INSN(sse, 16, TWIN_READS | TWIN_FPU | flags, 0, op " (%rdi), %xmm0"); \
	TWIN_INSN(sse, 16, TWIN_WRITES | TWIN_FPU | flags, 0, op " %xmm1, (%rdi)"); \
	TWIN_INSN(sse, 16, TWIN_READS | TWIN_FPU | flags, 0, op " (%rdi), %xmm9"); \
	TWIN_INSN(sse, 16, TWIN_WRITES | TWIN_FPU | flags, 0, op " %xmm15, (%rdi)")

SSE_MOVE("movups", 0);
SSE_MOVE("movupd", 0);
SSE_MOVE("movdqu", 0);
SSE_MOVE("movaps", TWIN_ALIGNED);
SSE_MOVE("movapd", TWIN_ALIGNED);
SSE_MOVE("movdqa", TWIN_ALIGNED);
TWIN_INSN(sse, 16, SSE_WRITE | TWIN_ALIGNED, 0, "movntps %xmm2, (%rdi)");
TWIN_INSN(sse, 16, SSE_WRITE | TWIN_ALIGNED, 0, "movntpd %xmm3, (%rdi)");
TWIN_INSN(sse, 16, SSE_WRITE | TWIN_ALIGNED, 0, "movntdq %xmm4, (%rdi)");
TWIN_INSN(sse, 8, SSE_READ, 0, "movq (%rdi), %mm3");
TWIN_INSN(sse, 8, SSE_WRITE, 0, "movq %mm4, (%rdi)");
TWIN_INSN(sse, 2, SSE_WRITE, 0, "fnstcw (%rdi)");
TWIN_INSN(sse, 2, SSE_WRITE, 0, "fnstsw (%rdi)");

/* Where the operands are below; the case puts its registers around it. */
#define FORM_OPERAND	0x40000880
#define FORM_TEXT	TWIN_STR(FORM_OPERAND)

TWIN_INSN(address, 8, TWIN_READS, 0, "mov 0x10(%rdi), %rcx");
TWIN_INSN(address, 4, TWIN_RMW, 0, "addl $0x55667788, 0x10(%rdi)");
TWIN_INSN(address, 2, TWIN_RMW, 0, "addw $0x5566, (%rbx, %rsi)");
TWIN_INSN(address, 8, TWIN_RMW, 0, "subq %rcx, -0x44(%rbp)");
TWIN_INSN(address, 4, TWIN_WRITES, 0, "movl $-1, 0x1234(%r12)");
TWIN_INSN(address, 1, TWIN_RMW, 0, "sbbb $0x7f, 0x20(%r13, %rsi, 8)");
TWIN_INSN(address, 8, TWIN_WRITES, 0, "mov %rcx, " FORM_TEXT "+0x10(%r15)");
TWIN_INSN(address, 4, TWIN_READS, 0, "mov " FORM_TEXT "-0x100(, %rsi, 2), %ecx");
/* An immediate behind the displacement, which counts from its end. */
TWIN_INSN(address, 4, TWIN_READS, 0, "movl twin_window+0x880(%rip), %ecx");
TWIN_INSN(address, 1, TWIN_RMW, 0, "addb $0x33, twin_window+0x880(%rip)");
TWIN_INSN(address, 2, TWIN_RMW, 0, "addw $0x3344, twin_window+0x880(%rip)");
TWIN_INSN(address, 4, TWIN_READS, 0, "cmpl $0x33445566, twin_window+0x880(%rip)");
TWIN_INSN(address, 8, TWIN_RMW, NO_AF, "xorq $0x33445566, twin_window+0x880(%rip)");
TWIN_INSN(address, 4, TWIN_RMW, TWIN_OF | TWIN_AF, "shll $7, twin_window+0x880(%rip)");
TWIN_INSN(address, 4, TWIN_WRITES, 0, "movl $0x778899aa, %ds:" FORM_TEXT);
TWIN_INSN(address, 1, TWIN_READS, 0, "movabsb " FORM_TEXT ", %al");
TWIN_INSN(address, 8, TWIN_READS, 0, "movabsq " FORM_TEXT ", %rax");
TWIN_INSN(address, 2, TWIN_WRITES, 0, "movabsw %ax, " FORM_TEXT);
TWIN_INSN(address, 4, TWIN_WRITES, 0, "movabsl %eax, " FORM_TEXT);
TWIN_INSN(address, 8, TWIN_RMW, 0, "incq (%r14d)");
TWIN_INSN(address, 1, TWIN_READS, 0, "xlatb");
TWIN_INSN(address, 4, TWIN_READS, 0, "mov %fs:0x10(%rdi), %ecx");

/* The operand, if there is one, is at rdi, and the stack anywhere. */
TWIN_INSN(stack, 8, TWIN_PUSHES, 0, "push %rbx");
TWIN_INSN(stack, 2, TWIN_PUSHES, 0, "pushw %bx");
TWIN_INSN(stack, 8, TWIN_PUSHES, 0, "push $-5");
TWIN_INSN(stack, 8, TWIN_PUSHES, 0, "push $0x12345678");
TWIN_INSN(stack, 8, TWIN_PUSHES, 0, "pushfq");
TWIN_INSN(stack, 8, TWIN_PUSHES, 0, "enter $0x20, $0");
TWIN_INSN(stack, 8, TWIN_PUSHES, 0, "call 772f");
TWIN_INSN(stack, 8, TWIN_POPS, 0, "pop %rbx");
TWIN_INSN(stack, 2, TWIN_POPS, 0, "popw %bx");
TWIN_INSN(stack, 8, TWIN_POPS | TWIN_TARGET, 0, "ret");
TWIN_INSN(stack, 8, TWIN_POPS | TWIN_TARGET, 0, "ret $0x18");
TWIN_INSN(stack, 8, TWIN_PUSHES | TWIN_READS, 0, "pushq (%rdi)");
TWIN_INSN(stack, 2, TWIN_PUSHES | TWIN_READS, 0, "pushw (%rdi)");
TWIN_INSN(stack, 8, TWIN_POPS | TWIN_WRITES, 0, "popq (%rdi)");
TWIN_INSN(stack, 2, TWIN_POPS | TWIN_WRITES, 0, "popw (%rdi)");
TWIN_INSN(stack, 8, TWIN_PUSHES | TWIN_READS | TWIN_TARGET, 0, "call *(%rdi)");
TWIN_INSN(stack, 8, TWIN_READS | TWIN_TARGET, 0, "jmp *(%rdi)");
TWIN_INSN(popf, 8, TWIN_POPS, 0, "popfq");
TWIN_INSN(leave, 8, TWIN_POPS, 0, "leave");
/* PUSH takes its operand's address from RSP as it was, POP as it is then. */
TWIN_INSN(push_sp, 8, TWIN_PUSHES, 0, "pushq 0x28(%rsp)");
TWIN_INSN(pop_sp, 8, TWIN_POPS, 0, "popq 0x28(%rsp)");

TWIN_INSN(port_access, 1, 0, 0, "outb %al, $" TWIN_STR(TWIN_DATA_PORT));
TWIN_INSN(port_access, 1, 0, 0, "inb $" TWIN_STR(TWIN_DATA_PORT) ", %al");

TWIN_GROUP(alu);
TWIN_GROUP(locked);
TWIN_GROUP(shift);
TWIN_GROUP(bit);
TWIN_GROUP(bit_number);
TWIN_GROUP(move);
TWIN_GROUP(exchange);
TWIN_GROUP(multiply);
TWIN_GROUP(sse);
TWIN_GROUP(address);
TWIN_GROUP(stack);
TWIN_GROUP(popf);
TWIN_GROUP(leave);
TWIN_GROUP(push_sp);
TWIN_GROUP(pop_sp);
TWIN_GROUP(port_access);

#endif /* SELFTEST_KVM_MMIO_EMULATION_INSNS_H */
