// SPDX-License-Identifier: GPL-2.0-only
/* VMX in L1, see include/vmx.h. */
#include <string.h>

#include "vmx.h"

/* SDM vol. 3 table 25-2: access rights of segments. */
#define AR_CODE64	0xa09b
#define AR_DATA		0xc093
#define AR_TSS64	0x8b
#define AR_UNUSABLE	0x10000

void vcpu_alloc_vmx(struct kvm_vcpu *vcpu, struct vmx_pages *vmx)
{
	gva_t vmxon = vm_alloc(vcpu->vm, PAGE_SIZE), vmcs = vm_alloc(vcpu->vm, PAGE_SIZE);
	struct kvm_sregs sregs;

	vcpu_sregs_get(vcpu, &sregs);
	*vmx = (struct vmx_pages){
		.vmxon = (void *)vmxon, .vmxon_gpa = addr_gva2gpa(vcpu->vm, vmxon),
		.vmcs = (void *)vmcs, .vmcs_gpa = addr_gva2gpa(vcpu->vm, vmcs),
		.tr_base = sregs.tr.base,
	};
}

/* "fail invalid" and "fail valid" are CF and ZF. */
#define VMX_INSN(insn, gpa)						\
({									\
	const uint64_t __gpa = (gpa);					\
	bool __failed;							\
									\
	asm volatile(insn " %1" : "=@ccbe"(__failed) : "m"(__gpa)	\
		     : "memory");					\
	!__failed;							\
})

bool prepare_for_vmx_operation(struct vmx_pages *vmx)
{
	uint64_t feat_ctl = rdmsr(MSR_IA32_FEAT_CTL);

	write_cr0(read_cr0() | rdmsr(MSR_IA32_VMX_CR0_FIXED0));
	write_cr4(read_cr4() | rdmsr(MSR_IA32_VMX_CR4_FIXED0) | X86_CR4_VMXE);
	if (!(feat_ctl & FEAT_CTL_LOCKED))
		wrmsr(MSR_IA32_FEAT_CTL,
		      feat_ctl | FEAT_CTL_VMX_ENABLED | FEAT_CTL_LOCKED);
	*(uint32_t *)vmx->vmxon = rdmsr(MSR_IA32_VMX_BASIC);
	return VMX_INSN("vmxon", vmx->vmxon_gpa);
}

bool load_vmcs(struct vmx_pages *vmx)
{
	*(uint32_t *)vmx->vmcs = rdmsr(MSR_IA32_VMX_BASIC);
	vmx->launched = false;
	return VMX_INSN("vmclear", vmx->vmcs_gpa) && VMX_INSN("vmptrld", vmx->vmcs_gpa);
}

/* What must be 1, and what is wanted. */
static void write_controls(enum vmcs_field field, uint32_t msr, uint32_t wanted)
{
	vmwrite(field, (uint32_t)rdmsr(msr) | wanted);
}

static void prepare_controls(uint64_t eptp)
{
	write_controls(PIN_BASED_VM_EXEC_CONTROL, MSR_IA32_VMX_TRUE_PINBASED_CTLS, 0);
	write_controls(CPU_BASED_VM_EXEC_CONTROL, MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
		       eptp ? CPU_BASED_ACTIVATE_SECONDARY_CONTROLS : 0);
	if (eptp) {
		vmwrite(SECONDARY_VM_EXEC_CONTROL, SECONDARY_EXEC_ENABLE_EPT);
		vmwrite(EPT_POINTER, eptp);
	}
	write_controls(VM_EXIT_CONTROLS, MSR_IA32_VMX_TRUE_EXIT_CTLS,
		       VM_EXIT_HOST_ADDR_SPACE_SIZE | VM_EXIT_LOAD_IA32_EFER);
	write_controls(VM_ENTRY_CONTROLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS,
		       VM_ENTRY_IA32E_MODE | VM_ENTRY_LOAD_IA32_EFER);
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
}

static void prepare_host_state(struct vmx_pages *vmx)
{
	struct desc_ptr gdt = get_gdt(), idt = get_idt();

	vmwrite(HOST_ES_SELECTOR, KERNEL_DS);
	vmwrite(HOST_CS_SELECTOR, KERNEL_CS);
	vmwrite(HOST_SS_SELECTOR, KERNEL_DS);
	vmwrite(HOST_DS_SELECTOR, KERNEL_DS);
	vmwrite(HOST_FS_SELECTOR, KERNEL_DS);
	vmwrite(HOST_GS_SELECTOR, KERNEL_DS);
	vmwrite(HOST_TR_SELECTOR, get_tr());
	vmwrite(HOST_TR_BASE, vmx->tr_base);
	vmwrite(HOST_GDTR_BASE, gdt.address);
	vmwrite(HOST_IDTR_BASE, idt.address);
	vmwrite(HOST_IA32_EFER, rdmsr(MSR_EFER));
	vmwrite(HOST_CR0, read_cr0());
	vmwrite(HOST_CR3, read_cr3());
	vmwrite(HOST_CR4, read_cr4());
}

static void prepare_guest_segments(struct vmx_pages *vmx)
{
	struct desc_ptr gdt = get_gdt(), idt = get_idt();
	int i;

	/* ES, CS, SS, DS, FS, GS are two apart. */
	for (i = 0; i < 6; i++) {
		bool cs = i == 1;

		vmwrite(GUEST_ES_SELECTOR + 2 * i, cs ? KERNEL_CS : KERNEL_DS);
		vmwrite(GUEST_ES_LIMIT + 2 * i, ~0U);
		vmwrite(GUEST_ES_AR_BYTES + 2 * i, cs ? AR_CODE64 : AR_DATA);
	}
	vmwrite(GUEST_LDTR_AR_BYTES, AR_UNUSABLE);
	vmwrite(GUEST_TR_SELECTOR, get_tr());
	vmwrite(GUEST_TR_BASE, vmx->tr_base);
	vmwrite(GUEST_TR_LIMIT, 0x67);
	vmwrite(GUEST_TR_AR_BYTES, AR_TSS64);
	vmwrite(GUEST_GDTR_BASE, gdt.address);
	vmwrite(GUEST_GDTR_LIMIT, gdt.size);
	vmwrite(GUEST_IDTR_BASE, idt.address);
	vmwrite(GUEST_IDTR_LIMIT, idt.size);
}

void prepare_vmcs(struct vmx_pages *vmx, void *guest_rip, void *guest_rsp,
		  uint64_t eptp)
{
	prepare_controls(eptp);
	prepare_host_state(vmx);
	prepare_guest_segments(vmx);
	vmwrite(GUEST_IA32_EFER, rdmsr(MSR_EFER));
	vmwrite(GUEST_CR0, read_cr0());
	vmwrite(GUEST_CR3, read_cr3());
	vmwrite(GUEST_CR4, read_cr4());
	vmwrite(GUEST_DR7, 0x400);
	vmwrite(GUEST_RFLAGS, X86_EFLAGS_FIXED | X86_EFLAGS_IF);
	vmwrite(GUEST_RIP, (uintptr_t)guest_rip);
	vmwrite(GUEST_RSP, (uintptr_t)guest_rsp);
}

bool vmx_run_guest(struct vmx_pages *vmx, void *arg)
{
	uint8_t failed;

	asm volatile("push %%rbp\n\t"
		     "mov %[host_rsp], %%eax\n\t"
		     "vmwrite %%rsp, %%rax\n\t"
		     "lea 1f(%%rip), %%rbx\n\t"
		     "mov %[host_rip], %%eax\n\t"
		     "vmwrite %%rbx, %%rax\n\t"
		     "test %%cl, %%cl\n\t"
		     "jnz 2f\n\t"
		     "vmlaunch\n\t"
		     "jmp 3f\n"
		     "2: vmresume\n"
		     "3: mov $1, %%eax\n\t"
		     "jmp 4f\n"
		     "1: xor %%eax, %%eax\n"
		     "4: pop %%rbp"
		     : "=a"(failed), "+D"(arg), "+c"(vmx->launched)
		     : [host_rsp] "i"(HOST_RSP), [host_rip] "i"(HOST_RIP)
		     : "rbx", "rdx", "rsi", "r8", "r9", "r10", "r11",
		       "r12", "r13", "r14", "r15", "memory", "cc");
	vmx->launched = true;
	return !failed;
}
