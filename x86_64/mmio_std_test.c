// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that KVM emulates, but not when they store to a gap.
 *
 * Descriptor tables and FPU state are more than user space could be asked for in one
 * exit, and KVM has what it stores on its stack. So they never get done, be it that KVM
 * gives up or that it tries for ever; the vCPU is as it was, and no gap's access is
 * user space's to complete. When user space steps over them, or has memory there, the
 * guest goes on.
 *
 * Bugs of this class: data on the emulator's stack that user space's exit comes for
 * when they are gone, an access that is completed for another instruction.
 */
#include "internal_error.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(mmio_std_test,
	.fixes = FIXES("129a72a0d3c8 KVM: x86: Introduce segmented_write_std"));

#define GAP		0xe0000000UL
#define SLOT		1
#define RAM_PAGES	2

/* ---- guest ---- */

struct insn {
	gva_t fn, start, end;
	const char *text;
};

extern const struct insn __start_std_insns[], __stop_std_insns[];

#define for_each_insn(i)	for (i = __start_std_insns; i < __stop_std_insns; i++)

/* Called with the operand in rdi. */
#define STD_INSN(insn)							\
	asm(".pushsection .text\n"					\
	    "771:\tmovq %rdi, %rbx\n"					\
	    "772:\t" insn "\n"						\
	    "773:\tret\n"						\
	    ".popsection\n"						\
	    ".pushsection .rodata\n"					\
	    "774:\t.asciz \"" insn "\"\n"				\
	    ".popsection\n"						\
	    ".pushsection std_insns, \"a\"\n"				\
	    ".balign 8\n"						\
	    ".quad 771b, 772b, 773b, 774b\n"				\
	    ".popsection")

STD_INSN("sgdt (%rdi)");
STD_INSN("sidt (%rdi)");
STD_INSN("fxsave (%rdi)");

static struct {
	gva_t fn, operand;
} guest_order;

static void guest_take_orders(void)
{
	for (;;) {
		gva_t di = guest_order.operand;

		asm volatile("call *%[fn]"
			     : "+D"(di)
			     : [fn] "r"(guest_order.fn)
			     : "rax", "rbx", "rcx", "rdx", "memory", "cc");
		GUEST_SYNC(di);
	}
}

/* ---- host ---- */

struct world {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	gva_t gva;			/* of GAP, with RAM at the page in front */
	struct backing_mem mem;
};

static void world_create(struct world *w)
{
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_take_orders);
	w->gva = vm_map_gpa(w->vm, GAP - PAGE_SIZE, 3 * PAGE_SIZE) + PAGE_SIZE;
	vm_userspace_mem_region_add(w->vm, VM_MEM_SRC_ANONYMOUS, GAP - PAGE_SIZE, SLOT, 1, 0);
	backing_mem_alloc(&w->mem, VM_MEM_SRC_ANONYMOUS, RAM_PAGES * PAGE_SIZE, GAP);
}

static void order(struct world *w, const struct insn *insn, gva_t operand)
{
	test_step("\"%s\" at gpa 0x%lx", insn->text, GAP + (operand - w->gva));
	guest_order.fn = insn->fn;
	guest_order.operand = operand;
	sync_global_to_guest(w->vm, guest_order);
}

#define TRY_MS		20
#define MAX_TRIES	100

/* An internal error, or no end. */
static void try_in_vain(struct world *w, const struct insn *insn, gva_t operand)
{
	struct kvm_run *run = w->vcpu->run;
	unsigned int tries = 0;
	struct kvm_regs regs;
	bool ended;

	order(w, insn, operand);
	/* On a busy host it may take a while to get there. */
	do {
		ended = vcpu_run_poisoned_for(w->vcpu, TRY_MS);
		vcpu_regs_get(w->vcpu, &regs);
	} while (!ended && regs.rip != insn->start && tries++ < MAX_TRIES);
	if (ended && (run->exit_reason != KVM_EXIT_INTERNAL_ERROR ||
		      run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION))
		vcpu_unexpected_exit(w->vcpu, "an error of the emulator's, or no end");
	TEST_ASSERT(regs.rip == insn->start && regs.rdi == operand,
		    "\"%s\" at 0x%lx cannot be done, but rip is 0x%llx, rdi 0x%llx, want 0x%lx",
		    insn->text, insn->start, regs.rip, regs.rdi, operand);
}

static void finish(struct world *w, gva_t operand)
{
	struct ucall uc;

	vcpu_run_to_sync(w->vcpu, &uc);
	TEST_ASSERT_EQ(uc.args[0], operand);
}

/* Drops the exception that KVM has queued, too. */
static void set_rip(struct world *w, gva_t rip)
{
	struct kvm_regs regs;

	vcpu_regs_get(w->vcpu, &regs);
	regs.rip = rip;
	vcpu_regs_set(w->vcpu, &regs);
}

KVM_TEST(table_in_a_gap_is_stepped_over)
{
	static const size_t offsets[] = { 0, 0x100, 0xff0, 0xe00 };
	const struct insn *insn;
	struct world w;
	size_t i;

	world_create(&w);
	for_each_insn(insn) {
		for (i = 0; i < ARRAY_SIZE(offsets); i++) {
			breadcrumb("\"%s\" at gpa 0x%lx", insn->text, GAP + offsets[i]);
			try_in_vain(&w, insn, w.gva + offsets[i]);
			set_rip(&w, insn->end);
			finish(&w, w.gva + offsets[i]);
		}
	}
	kvm_vm_free(w.vm);
	backing_mem_free(&w.mem);
}

/* Then it is done as if nothing had been. */
KVM_TEST(table_in_a_gap_that_becomes_memory)
{
	const struct insn *insn;
	struct world w;
	char *ram;
	int i;

	world_create(&w);
	ram = w.mem.hva;
	for_each_insn(insn) {
		for (i = 0; i < 2; i++) {
			memset(ram, 0x24, RAM_PAGES * PAGE_SIZE);
			try_in_vain(&w, insn, w.gva + 0x240);
			vm_mem_region_add_backing(w.vm, &w.mem, ram, GAP, SLOT + 1, RAM_PAGES, 0);
			set_rip(&w, insn->start);
			finish(&w, w.gva + 0x240);
			TEST_ASSERT(ram[0x240] != 0x24 || ram[0x241] != 0x24,
				    "\"%s\" has stored nothing to memory", insn->text);
			TEST_ASSERT(ram[0x23f] == 0x24 && ram[0x240 + 512] == 0x24,
				    "\"%s\" has stored beside its operand", insn->text);
			vm_mem_region_delete(w.vm, SLOT + 1);
		}
	}
	kvm_vm_free(w.vm);
	backing_mem_free(&w.mem);
}

KVM_TEST_MAIN()
