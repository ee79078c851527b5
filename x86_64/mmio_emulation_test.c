// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that KVM must emulate, because their memory operand is in a gap.
 *
 * To the guest, a gap that user space answers for is memory: whatever the
 * instruction and its form, registers, flags, RIP and memory must be what the
 * CPU makes of the same instruction on RAM. And user space must see exactly the
 * accesses of the instruction, in order, each split at the page's end and into
 * 8 bytes. That must hold on the first touch of a page, on the page that the
 * vCPU remembers, and for an MMIO SPTE.
 *
 * Bugs of this class: flags or the upper half of a register lost on the way
 * through user space, data that were on the emulator's stack when the second
 * exit of a write comes for them, a gpa taken for another operand's, RIP moved
 * too early or not at all. mmio_string_test has the string instructions.
 */
#include "insn_twin.h"
#include "kvm_test_harness.h"
#include "mmio_emulation_insns.h"

KVM_TEST_SUITE(mmio_emulation_test,
	.fixes = FIXES("45def77ebf79 KVM: x86: update %rip after emulating IO"));

static void step(const struct twin_op *op, gva_t gva, const char *where)
{
	test_step("\"%s\" at gva 0x%lx, %s", op->insn->text, gva, where);
}

/* ---- instructions with one operand at rdi ---- */

KVM_FIXTURE(insns);
FIXTURE_VARIANT(insns) {
	const struct twin_insn *start, *stop;
};

#define INSNS(group)							\
	FIXTURE_VARIANT_ADD(insns, group) {				\
		.start = __start_twin_##group, .stop = __stop_twin_##group }

INSNS(alu);
INSNS(locked);
INSNS(shift);
INSNS(bit);
INSNS(move);
INSNS(exchange);
INSNS(multiply);
INSNS(sse);

/* Registers that the instruction needs to be special. */
static void choose_regs(struct twin *t, struct twin_op *op, gva_t gva, unsigned int n)
{
	uint64_t mem[2] = {};

	if (op->insn->flags & TWIN_MATCH && n % 2) {
		memcpy(mem, twin_mem(t, gva), op->insn->len);
		op->regs.rax = mem[0];
		if (strstr(op->insn->text, "cmpxchg8b"))
			op->regs.rdx = mem[0] >> 32;
	}
	if (op->insn->flags & TWIN_DIV) {
		/* A quotient fits that is no larger than the dividend. */
		op->regs.rax &= 0x7f;
		op->regs.rdx = 0;
		mem[0] = test_random() | 0x0101010101010101;
		twin_mem_write(t, gva, mem, op->insn->len);
	}
}

static void exec_at(struct twin *t, const struct twin_insn *insn, gva_t gva,
		    unsigned int n, const char *where)
{
	static struct twin_op op;

	twin_op_init(t, &op, insn, gva);
	choose_regs(t, &op, gva, n);
	if (insn->flags & TWIN_READS)
		twin_op_access(&op, gva, insn->len, false);
	if (insn->flags & TWIN_WRITES)
		twin_op_access(&op, gva, insn->len, true);
	step(&op, gva, where);
	twin_exec(t, &op);
}

KVM_TEST_F(insns, do_what_they_do_on_ram)
{
	const struct twin_insn *insn;
	gva_t gva, previous;
	struct twin t;

	twin_create(&t);
	previous = twin_fresh_pages(&t, 1);
	for (insn = variant->start; insn < variant->stop; insn++) {
		gva = twin_fresh_pages(&t, 1);
		exec_at(&t, insn, gva + 0x120, 0, "first touch of the page");
		exec_at(&t, insn, gva + 0x7e0, 1, "the page that the vCPU remembers");
		exec_at(&t, insn, previous + 0xfe0, 2, "a page with an MMIO SPTE");
		previous = gva;
	}
	twin_free(&t);
}

static bool may_be_unaligned(const struct twin_insn *insn)
{
	return insn->len > 1 && !(insn->flags & TWIN_ALIGNED);
}

/* Where the page's end is: 1, 2, 3 of 4 bytes, 1, 4, 7 of 8. */
#define for_each_split(first, insn)					\
	for (first = 1; first < (insn)->len; first += (insn)->len > 4 ? 3 : 1)

/* Each half is an exit of its own, to a gpa that is not the next one. */
KVM_TEST_F(insns, may_cross_into_the_next_page)
{
	const struct twin_insn *insn;
	unsigned int first;
	struct twin t;
	gva_t end;

	twin_create(&t);
	end = twin_fresh_pages(&t, 2) + PAGE_SIZE;
	for (insn = variant->start; insn < variant->stop; insn++) {
		if (!may_be_unaligned(insn))
			continue;
		for_each_split(first, insn)
			exec_at(&t, insn, end - first, first, "across the page's end");
	}
	twin_free(&t);
}

/* What is in RAM is read and written by KVM, and only the other part exits. */
KVM_TEST_F(insns, may_cross_between_ram_and_gap)
{
	const struct twin_insn *insn;
	unsigned int first, n = 0;
	struct twin t;

	twin_create(&t);
	for (insn = variant->start; insn < variant->stop; insn++) {
		if (!may_be_unaligned(insn))
			continue;
		for_each_split(first, insn) {
			if (n++ & 1)
				exec_at(&t, insn, TWIN_RAM_GVA - first, first,
					"from gap to RAM");
			else
				exec_at(&t, insn, TWIN_TAIL_GVA - first, first,
					"from RAM to gap");
		}
	}
	twin_free(&t);
}

/* ---- operands that are not at rdi ---- */

/* BT and its kin take a signed number of a bit, anywhere in memory. */
KVM_TEST(bit_numbers_move_the_operand)
{
	static const int bits[] = {
		0, 1, 15, 16, 31, 32, 63, 64, 65, 127, 1000, 4095, 16383,
		-1, -15, -16, -32, -33, -63, -64, -65, -1000, -4096, -16384,
	};
	const struct twin_insn *insn;
	static struct twin_op op;
	struct twin t;
	unsigned int i;
	gva_t mid, gva;

	twin_create(&t);
	mid = twin_fresh_pages(&t, 4) + 2 * PAGE_SIZE;
	for_each_twin_insn(insn, bit_number) {
		for (i = 0; i < ARRAY_SIZE(bits); i++) {
			const int width = insn->len * 8;

			twin_op_init(&t, &op, insn, mid);
			/* What is beyond the operand's width does not count. */
			memcpy(&op.regs.rbx, &(int64_t){ bits[i] }, insn->len);
			gva = mid + (bits[i] - (bits[i] & (width - 1))) / 8;
			if (insn->flags & TWIN_READS)
				twin_op_access(&op, gva, insn->len, false);
			if (insn->flags & TWIN_WRITES)
				twin_op_access(&op, gva, insn->len, true);
			test_step("\"%s\" at gva 0x%lx, bit %d", insn->text, mid, bits[i]);
			twin_exec(&t, &op);
		}
	}
	twin_free(&t);
}

KVM_TEST(every_form_of_an_address)
{
	const struct twin_insn *insn;
	static struct twin_op op;
	struct twin t;
	int round;

	twin_create(&t);
	twin_fresh_pages(&t, 2);
	for_each_twin_insn(insn, address) {
		for (round = 0; round < 2; round++) {
			twin_op_init(&t, &op, insn, FORM_OPERAND - 0x10);
			op.regs.rsi = 0x80;
			op.regs.rbx = FORM_OPERAND - 0x80;
			op.regs.rbp = FORM_OPERAND + 0x44;
			op.regs.r12 = FORM_OPERAND - 0x1234;
			op.regs.r13 = FORM_OPERAND - 8 * 0x80 - 0x20;
			op.regs.r15 = -0x10UL;
			op.regs.rax = (op.regs.rax & ~0xffUL) | 0x80;
			/* With a 32-bit address, the upper half is ignored. */
			op.regs.r14 = FORM_OPERAND | 0xdead000000000000UL;
			if (insn->flags & TWIN_READS)
				twin_op_access(&op, FORM_OPERAND, insn->len, false);
			if (insn->flags & TWIN_WRITES)
				twin_op_access(&op, FORM_OPERAND, insn->len, true);
			step(&op, FORM_OPERAND, "address in another form");
			twin_exec(&t, &op);
		}
	}
	twin_free(&t);
}

/* ---- the stack ---- */

static void exec_stack(struct twin *t, const struct twin_insn *insn, gva_t sp,
		       gva_t operand, const char *where)
{
	const gva_t slot = insn->flags & TWIN_PUSHES ? sp - insn->len : sp;
	static struct twin_op op;

	twin_op_init(t, &op, insn, operand);
	op.regs.rsp = sp;
	if (insn->flags & TWIN_TARGET)
		twin_mem_write(t, insn->flags & TWIN_READS ? operand : slot,
			       &insn->end, sizeof(insn->end));
	if (insn->flags & TWIN_READS)
		twin_op_access(&op, operand, insn->len, false);
	if (insn->flags & (TWIN_POPS | TWIN_PUSHES))
		twin_op_access(&op, slot, insn->len, insn->flags & TWIN_PUSHES);
	if (insn->flags & TWIN_WRITES)
		twin_op_access(&op, operand, insn->len, true);
	test_step("\"%s\", stack at gva 0x%lx, operand at 0x%lx, %s", insn->text, sp,
		  operand, where);
	twin_exec(t, &op);
}

KVM_TEST(stack_and_operand_in_a_gap)
{
	const gva_t in_ram = TWIN_RAM_GVA + 0x800;
	const struct twin_insn *insn;
	struct twin t;
	gva_t a, b;

	twin_create(&t);
	for_each_twin_insn(insn, stack) {
		a = twin_fresh_pages(&t, 2);
		b = twin_fresh_pages(&t, 2);
		exec_stack(&t, insn, a + 0x800, in_ram, "stack in the gap");
		exec_stack(&t, insn, in_ram, b + 0x340, "operand in the gap");
		exec_stack(&t, insn, a + 0x400, b + PAGE_SIZE, "both in the gap");
		exec_stack(&t, insn, b + PAGE_SIZE, a + 0x18, "both in the gap");
	}
	twin_free(&t);
}

/*
 * Two operands at the same place of their pages, and KVM knows the gpa of one
 * from the fault: the other's is its own all the same. CALL was forgotten.
 */
KVM_TEST(two_operands_at_the_same_page_offset)
{
	const struct twin_insn *insn;
	struct twin t;
	gva_t a, b;

	twin_create(&t);
	for_each_twin_insn(insn, stack) {
		const unsigned int push = insn->flags & TWIN_PUSHES ? insn->len : 0;

		if (strstr(insn->text, "call *") &&
		    !twin_unfixed("pushes the return address of \"call *(%rdi)\" to the operand's page"))
			continue;
		a = twin_fresh_pages(&t, 2) + 0x250;
		b = twin_fresh_pages(&t, 2) + 0x250;
		exec_stack(&t, insn, a + push, b, "both in the gap");
		exec_stack(&t, insn, TWIN_RAM_GVA + 0x250 + push, b, "operand in the gap");
		exec_stack(&t, insn, a + push, TWIN_RAM_GVA + 0x250, "stack in the gap");
	}
	twin_free(&t);
}

/* What is pushed is often no operand of the emulator's, and must last. */
KVM_TEST(stack_across_pages)
{
	const struct twin_insn *insn;
	gva_t a, b, slot;
	unsigned int first;
	struct twin t;

	twin_create(&t);
	a = twin_fresh_pages(&t, TWIN_GAP_PAGES - 2) + PAGE_SIZE;
	b = a + 10 * PAGE_SIZE;
	for_each_twin_insn(insn, stack) {
		const unsigned int push = insn->flags & TWIN_PUSHES ? insn->len : 0;

		for (first = 1; first < insn->len; first++) {
			slot = a - first + push;
			exec_stack(&t, insn, slot, b + 0x100, "stack across pages");
			exec_stack(&t, insn, slot, b - 9 + first, "both across pages");
			exec_stack(&t, insn, TWIN_RAM_GVA - first + push, b + 0x20,
				   "stack from gap to RAM");
			exec_stack(&t, insn, TWIN_TAIL_GVA - first + push, b + 0x20,
				   "stack from RAM to gap");
		}
	}
	twin_free(&t);
}

KVM_TEST(stack_pointers_and_flags_out_of_a_gap)
{
	static struct twin_op op;
	struct twin t;
	uint64_t flags;
	unsigned int i;
	gva_t gva;

	twin_create(&t);
	for (i = 0; i < 32; i++) {
		gva = twin_fresh_pages(&t, 2) + (i & 1 ? 0x7c0 : PAGE_SIZE - 3);

		twin_op_init(&t, &op, __start_twin_popf, gva);
		flags = X86_EFLAGS_FIXED | X86_EFLAGS_IF |
			(test_random() & (TWIN_ARITH_FLAGS | TWIN_DF));
		twin_mem_write(&t, gva, &flags, sizeof(flags));
		op.regs.rsp = gva;
		twin_op_access(&op, gva, 8, false);
		step(&op, gva, "flags in the gap");
		twin_exec(&t, &op);

		twin_op_init(&t, &op, __start_twin_leave, 0);
		op.regs.rbp = gva;
		twin_op_access(&op, gva, 8, false);
		step(&op, gva, "frame in the gap");
		twin_exec(&t, &op);

		twin_op_init(&t, &op, __start_twin_push_sp, 0);
		op.regs.rsp = gva;
		twin_op_access(&op, gva + 0x28, 8, false);
		twin_op_access(&op, gva - 8, 8, true);
		step(&op, gva, "stack in the gap");
		twin_exec(&t, &op);

		twin_op_init(&t, &op, __start_twin_pop_sp, 0);
		op.regs.rsp = gva;
		twin_op_access(&op, gva, 8, false);
		twin_op_access(&op, gva + 8 + 0x28, 8, true);
		step(&op, gva, "stack in the gap");
		twin_exec(&t, &op);
	}
	twin_free(&t);
}

/* ---- user space between the exits ---- */

/* Completes exit after exit without running the guest; the state is then whole. */
static void complete_one_by_one(struct twin *t, const struct twin_op *op)
{
	struct kvm_vcpu *vcpu = t->vcpu[TWIN_ON_GAP];
	unsigned int n = 0;
	int ret;

	twin_exec_on_ram(t, op);
	twin_start_on_gap(t, op);
	vcpu->run->immediate_exit = 1;
	while (twin_check_piece(t, op, n++)) {
		ret = __vcpu_run(vcpu);
		if (ret < 0 && errno == EINTR)
			break;
		vcpu_check_exit(vcpu, ret);
	}
	vcpu->run->immediate_exit = 0;
	TEST_ASSERT_ORACLE(ORACLE_EXIT, !twin_check_piece(t, op, n),
			   "\"%s\" is complete after %u exits, but piece %u is still to come",
			   op->insn->text, n, n + 1);
	twin_compare(t, op);
}

/* What user space sets then is what the guest goes on with. */
static void go_on_elsewhere(struct twin *t, const struct twin_insn *where)
{
	struct kvm_vcpu *vcpu = t->vcpu[TWIN_ON_GAP];
	static struct twin_op op;
	struct kvm_regs regs;

	twin_op_init(t, &op, where, TWIN_GVA);
	op.regs.rip = where->end;
	vcpu_regs_set(vcpu, &op.regs);
	vcpu_run(vcpu);
	if (vcpu->run->exit_reason != KVM_EXIT_IO || vcpu->run->io.port != TWIN_END_PORT)
		vcpu_unexpected_exit(vcpu, "the OUT that user space put RIP at");
	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT(regs.rip == where->end,
		    "user space set rip to 0x%lx after the access was complete, but the guest went on at 0x%llx",
		    where->end, regs.rip);
	TEST_ASSERT(!memcmp(&regs, &op.regs, sizeof(regs)),
		    "registers that user space set after the access was complete are lost: rax 0x%llx, want 0x%llx; rbx 0x%llx, want 0x%llx; rflags 0x%llx, want 0x%llx",
		    regs.rax, op.regs.rax, regs.rbx, op.regs.rbx, regs.rflags,
		    op.regs.rflags);
}

KVM_TEST_F(insns, complete_without_running_the_guest)
{
	const struct twin_insn *insn;
	static struct twin_op op;
	unsigned int n = 0;
	struct twin t;
	gva_t gva;

	twin_create(&t);
	gva = twin_fresh_pages(&t, 2);
	for (insn = variant->start; insn < variant->stop; insn++, n++) {
		if (!(insn->flags & TWIN_RMW))
			continue;
		gva = align_down(gva, 2 * PAGE_SIZE) +
		      (may_be_unaligned(insn) && n % 2 ? PAGE_SIZE - 1 : 0x840);
		twin_op_init(&t, &op, insn, gva);
		choose_regs(&t, &op, gva, n);
		if (insn->flags & TWIN_READS)
			twin_op_access(&op, gva, insn->len, false);
		if (insn->flags & TWIN_WRITES)
			twin_op_access(&op, gva, insn->len, true);
		step(&op, gva, "completed without running the guest");
		complete_one_by_one(&t, &op);
		go_on_elsewhere(&t, insn);
	}
	twin_free(&t);
}

/* The port's access is done when KVM_RUN comes back, if RIP is still there. */
KVM_TEST(rip_set_at_a_port_access)
{
	const struct twin_insn *insn, *other = __start_twin_alu;
	struct kvm_vcpu *vcpu;
	static struct twin_op op;
	struct kvm_regs regs;
	struct twin t;
	int round;

	twin_create(&t);
	vcpu = t.vcpu[TWIN_ON_GAP];
	for (round = 0; round < 4; round++) {
		for_each_twin_insn(insn, port_access) {
			twin_op_init(&t, &op, insn, TWIN_GVA);
			step(&op, 0, round & 1 ? "RIP changed" : "RIP as it was");
			vcpu_regs_set(vcpu, &op.regs);
			vcpu_run(vcpu);
			if (vcpu->run->exit_reason != KVM_EXIT_IO ||
			    vcpu->run->io.port != TWIN_DATA_PORT)
				vcpu_unexpected_exit(vcpu, "the access to the port");
			*((uint8_t *)vcpu->run + vcpu->run->io.data_offset) = round;
			vcpu_regs_get(vcpu, &regs);
			TEST_ASSERT(regs.rip == insn->start,
				    "\"%s\" at 0x%lx has exited and is not complete, but rip is 0x%llx",
				    insn->text, insn->start, regs.rip);
			if (round & 1) {
				go_on_elsewhere(&t, other);
				continue;
			}
			vcpu_run(vcpu);
			vcpu_regs_get(vcpu, &regs);
			TEST_ASSERT(regs.rip == insn->end,
				    "\"%s\" at 0x%lx is complete, but rip is 0x%llx",
				    insn->text, insn->start, regs.rip);
			if (vcpu->run->io.direction == KVM_EXIT_IO_OUT &&
			    strstr(insn->text, "inb"))
				TEST_ASSERT_EQ(regs.rax & 0xff, (uint64_t)round);
		}
	}
	twin_free(&t);
}

KVM_TEST_MAIN()
