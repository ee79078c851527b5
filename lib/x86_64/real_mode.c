// SPDX-License-Identifier: GPL-2.0-only
/* Memory and code for a vCPU in real mode, see include/real_mode.h. */
#include <asm/kvm_para.h>
#include <stddef.h>

#include "processor.h"
#include "real_mode.h"

#define STACK_END	0x10000UL	/* SP is 0 at first */
#define STAMP_OFFSET	8
#define GAP_OFFSET	0x10
#define STEAL_OFFSET	0x800		/* in RAM2 */
#define STEAL_SIZE	64
#define DONE_PORT	0x100c
#define DECOY_PORT	0x1014
#define EXCEPTION_PORT	0x1018
#define EXCEPTION_CODE	0x400		/* behind the vectors */

_Static_assert(offsetof(struct real_mode_box, pte) == 0x20 &&
	       offsetof(struct real_mode_box, gdt_pointer) == 0x30 &&
	       offsetof(struct real_mode_box, gdt) == 0x40, "struct real_mode_box");

/*
 * What was a gap before goes to a port, by an instruction that no fault makes KVM
 * emulate: it knows a page of MMIO then that is none. Later the same goes to a gap.
 */
extern char real_mode[], real_mode_end[];
asm(".pushsection .rodata\n"
    ".code16\n"
    "real_mode:\n\t"
    "movw	$0xb000, %si\n\t"
    "movw	$0x1010, %dx\n\t"		/* STRING_PORT */
    "outsl\n\t"
    "movl	0x9000, %eax\n\t"
    "movl	%eax, 0xd014\n\t"
    "movl	0xd010, %eax\n\t"
    "movl	%eax, 0x9008\n\t"
    "movw	$0xb000, %si\n\t"
    "movw	$0xa000, %di\n\t"
    "movsl\n\t"
    "movl	0xa010, %eax\n\t"
    "movl	%eax, 0xd018\n\t"
    "movw	$0x100c, %dx\n\t"		/* DONE_PORT */
    "outb	%al, %dx\n\t"
    "movl	0xd020, %eax\n\t"		/* the tables change */
    "movl	%eax, 0xc040\n\t"
    "movl	0xd024, %eax\n\t"
    "movl	%eax, 0xc048\n\t"
    "movl	0xd028, %eax\n\t"
    "movl	%eax, 0xc050\n\t"
    "movl	0xd02c, %eax\n\t"
    "movl	%eax, 0xc058\n\t"
    "lgdtl	0xd030\n\t"
    "movl	0xd01c, %eax\n\t"
    "movl	%eax, %cr4\n\t"
    "movl	0xd000, %eax\n\t"
    "movl	%eax, %cr3\n\t"
    "movl	$0xc0000080, %ecx\n\t"
    "movl	$0x900, %eax\n\t"		/* NX, LME */
    "xorl	%edx, %edx\n\t"
    "wrmsr\n\t"
    "movl	$0x80010031, %eax\n\t"
    "movl	%eax, %cr0\n\t"
    "ljmpl	$0x08, $(0x8000 + (1f - real_mode))\n"
    ".code64\n"
    "1:\n\t"
    "movl	$0x10, %eax\n\t"
    "movl	%eax, %ds\n\t"
    "movl	%eax, %es\n\t"
    "movl	%eax, %ss\n\t"
    "movl	$0xd000, %ebx\n\t"
    "movq	8(%rbx), %rsp\n\t"
    "movl	4(%rbx), %eax\n\t"
    "jmp	*%rax\n"
    "real_mode_end:\n"
    ".popsection");

/* MOV $port, %dx; OUT; in real mode */
static void put_exit(void *code, uint16_t port)
{
	const uint8_t insns[] = { 0xba, port & 0xff, port >> 8, 0xee };

	memcpy(code, insns, sizeof(insns));
}

static void add_ivt(struct kvm_vm *vm)
{
	uint32_t *ivt;
	unsigned int i;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, 0, REAL_IVT_SLOT, 1, 0);
	ivt = addr_gpa2hva(vm, 0);
	for (i = 0; i < EXCEPTION_CODE / 4; i++)
		ivt[i] = EXCEPTION_CODE;
	put_exit((char *)ivt + EXCEPTION_CODE, EXCEPTION_PORT);
}

void real_mode_put_decoy(void *code)
{
	put_exit(code, DECOY_PORT);
}

/* What is there without paging: code for real mode, RAM, a gap, RAM. */
void vm_real_mode_init(struct kvm_vm *vm)
{
	static const uint8_t jump[] = { 0xea, 0, 0, REAL_WINDOW_GPA >> 4 & 0xff, REAL_WINDOW_GPA >> 12 };

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, REAL_WINDOW_GPA, REAL_LOW_SLOT, 2, 0);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, REAL_RAM2_GPA, REAL_HIGH_SLOT,
				    (STACK_END - REAL_RAM2_GPA) / PAGE_SIZE, 0);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, REAL_VECTOR_GPA, REAL_VECTOR_SLOT, 1, 0);
	add_ivt(vm);
	memcpy(addr_gpa2hva(vm, REAL_WINDOW_GPA), real_mode, real_mode_end - real_mode);
	memcpy(addr_gpa2hva(vm, REAL_VECTOR_GPA + 0xff0), jump, sizeof(jump));
	*(uint32_t *)addr_gpa2hva(vm, REAL_RAM_GPA) = real_mode_word(REAL_RAM_GPA);
	*(uint32_t *)addr_gpa2hva(vm, REAL_RAM2_GPA) = real_mode_word(REAL_RAM2_GPA);
}

void vm_real_mode_set_entry(struct kvm_vm *vm, void *entry, uint64_t rsp)
{
	struct real_mode_box *box = addr_gpa2hva(vm, REAL_BOX_GPA);

	box->cr3 = vm->pgd;
	box->cr4 = vm_cr4(vm);
	box->rsp = rsp;
	box->entry = (uintptr_t)entry;
	memcpy(box->gdt, addr_gva2hva(vm, vm->gdt), sizeof(box->gdt));
	box->gdt_pointer = (REAL_BOX_GPA + offsetof(struct real_mode_box, gdt)) << 16 |
			   (sizeof(box->gdt) - 1);
}

static void expect_port(struct kvm_vcpu *vcpu, uint16_t port, const char *what)
{
	const struct kvm_run *run = vcpu->run;

	TEST_ASSERT_ORACLE(ORACLE_EXIT, run->exit_reason != KVM_EXIT_IO || run->io.port != DECOY_PORT,
			   "want %s, but the vCPU executes code that is not at gpa 0x%lx: where that was in long mode or SMM",
			   what, REAL_WINDOW_GPA);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, run->exit_reason != KVM_EXIT_IO || run->io.port != EXCEPTION_PORT,
			   "want %s, but there was an exception in real mode", what);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != port)
		vcpu_unexpected_exit(vcpu, what);
}

void vcpu_check_outs(struct kvm_vcpu *vcpu, gva_t gva, gpa_t gpa)
{
	char where[256];
	uint32_t got;

	expect_port(vcpu, REAL_STRING_PORT, "OUTS");
	got = *(uint32_t *)((char *)vcpu->run + vcpu->run->io.data_offset);
	TEST_ASSERT(got == real_mode_word(gpa),
		    "OUTS from 0x%lx, which is gpa 0x%lx in %s: 0x%x, want 0x%x", gva, gpa,
		    vm_describe_gpa(vcpu->vm, gpa, where, sizeof(where)), got, real_mode_word(gpa));
}

/*
 * APM vol. 2 table 14-1, SDM vol. 3 table 10-1: what paging depends on. Before 5.15,
 * CR3 stays, which nobody notices as long as paging is off.
 */
static void expect_reset_registers(struct kvm_vcpu *vcpu)
{
	struct kvm_sregs s;

	vcpu_sregs_get(vcpu, &s);
	if (!kernel_at_least(5, 15))
		s.cr3 = 0;
	TEST_ASSERT(!(s.cr0 & (X86_CR0_PG | X86_CR0_PE | X86_CR0_WP)) && !s.cr3 && !s.cr4 && !s.efer,
		    "after a reset CR0 is 0x%llx, CR3 0x%llx, CR4 0x%llx, EFER 0x%llx; want no PG, PE and WP in CR0, and 0",
		    s.cr0, s.cr3, s.cr4, s.efer);
}

/*
 * KVM writes there by itself each time that the vCPU runs, until it is reset. Where it
 * has no such MSR there is nothing to be reset.
 */
void vcpu_set_steal_time(struct kvm_vcpu *vcpu)
{
	_vcpu_set_msr(vcpu, MSR_KVM_STEAL_TIME, (REAL_RAM2_GPA + STEAL_OFFSET) | 1);
}

static uint64_t *steal_time(struct kvm_vm *vm)
{
	return addr_gpa2hva(vm, REAL_RAM2_GPA + STEAL_OFFSET);
}

static void expect_steal_time_unused(struct kvm_vm *vm)
{
	const uint64_t *word = steal_time(vm);
	unsigned int i;

	for (i = 0; i < STEAL_SIZE / 8; i++)
		TEST_ASSERT(!word[i],
			    "gpa 0x%lx: 0x%lx, want 0: KVM still writes the steal time of a vCPU that was reset",
			    REAL_RAM2_GPA + STEAL_OFFSET + i * 8, word[i]);
}

void vcpu_check_real_mode(struct kvm_vcpu *vcpu)
{
	struct kvm_vm *vm = vcpu->vm;
	const volatile struct real_mode_box *box = addr_gpa2hva(vm, REAL_BOX_GPA);
	const uint32_t gap = ~real_mode_word(REAL_GAP_GPA);
	const volatile uint32_t *ram = addr_gpa2hva(vm, REAL_RAM_GPA);

	vcpu_check_outs(vcpu, REAL_RAM2_GPA, REAL_RAM2_GPA);
	memset(steal_time(vm), 0, STEAL_SIZE);
	vcpu_run(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_IO)
		expect_port(vcpu, 0, "MOVS to a gap");
	vcpu_check_mmio(vcpu, &(struct mmio_access){
		.gpa = REAL_GAP_GPA, .len = 4, .is_write = true, .data = real_mode_word(REAL_RAM2_GPA) });
	vcpu_expect_mmio_read(vcpu, REAL_GAP_GPA + GAP_OFFSET, 4, gap);
	vcpu_run(vcpu);
	expect_port(vcpu, DONE_PORT, "the end of the code in real mode");
	TEST_ASSERT(box->ram == ram[0] && ram[STAMP_OFFSET / 4] == box->stamp,
		    "in real mode, gpa 0x%lx: the guest read 0x%x, want 0x%x; it wrote 0x%x, and 0x%x is there",
		    REAL_RAM_GPA, box->ram, ram[0], box->stamp, ram[STAMP_OFFSET / 4]);
	TEST_ASSERT(box->gap == gap, "in real mode, gpa 0x%lx: the guest read 0x%x, want 0x%x",
		    REAL_GAP_GPA + GAP_OFFSET, box->gap, gap);
	expect_steal_time_unused(vm);
	expect_reset_registers(vcpu);
}
