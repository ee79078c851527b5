// SPDX-License-Identifier: GPL-2.0-only
/* SVM in L1, see include/svm.h. */
#include "svm.h"

/* As KVM presents a 64-bit guest: types as in gdt_init(), L or D, G, P. */
#define VMCB_CODE64	0xa9b
#define VMCB_DATA	0xc93

#define PAT_DEFAULT	0x0007040600070406ULL

void vcpu_alloc_svm(struct kvm_vm *vm, struct svm_test_data *svm)
{
	gva_t vmcb = vm_alloc(vm, PAGE_SIZE);

	svm->vmcb = (struct vmcb *)vmcb;
	svm->vmcb_gpa = addr_gva2gpa(vm, vmcb);
	svm->save_area_gpa = vm_phy_pages_alloc(vm, 1);
}

static struct vmcb_seg vmcb_segment(uint16_t selector, uint16_t attrib)
{
	return (struct vmcb_seg){
		.selector = selector, .attrib = attrib, .limit = ~0U,
	};
}

void generic_svm_setup(struct svm_test_data *svm, void *guest_rip, void *guest_rsp)
{
	struct vmcb_control_area *ctrl = &svm->vmcb->control;
	struct vmcb_save_area *save = &svm->vmcb->save;
	struct desc_ptr gdt = get_gdt(), idt = get_idt();

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, svm->save_area_gpa);

	ctrl->intercept = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_SHUTDOWN;
	ctrl->asid = 1;

	save->es = vmcb_segment(KERNEL_DS, VMCB_DATA);
	save->ss = vmcb_segment(KERNEL_DS, VMCB_DATA);
	save->ds = vmcb_segment(KERNEL_DS, VMCB_DATA);
	save->cs = vmcb_segment(KERNEL_CS, VMCB_CODE64);
	save->gdtr.base = gdt.address;
	save->gdtr.limit = gdt.size;
	save->idtr.base = idt.address;
	save->idtr.limit = idt.size;
	save->efer = rdmsr(MSR_EFER);
	save->cr0 = read_cr0();
	save->cr3 = read_cr3();
	save->cr4 = read_cr4();
	save->dr6 = 0xffff0ff0;
	save->dr7 = 0x400;
	save->rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	save->g_pat = PAT_DEFAULT;
	save->rip = (uintptr_t)guest_rip;
	save->rsp = (uintptr_t)guest_rsp;
}

/* FS, GS and TR stay L1's in L2, as VMRUN leaves them alone. */
void run_guest(gpa_t vmcb_gpa, void *arg)
{
	asm volatile("push %%rbp\n\t"
		     "vmrun %%rax\n\t"
		     "pop %%rbp\n\t"
		     "stgi"
		     : "+D"(arg)
		     : "a"(vmcb_gpa)
		     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11",
		       "r12", "r13", "r14", "r15", "memory", "cc");
}
