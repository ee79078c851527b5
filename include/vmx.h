/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX as an L1 hypervisor uses it (SDM vol. 3 chapters 24 to 28 and appendix B),
 * and running an L2 with it. Functions that are not said to be the host's run in
 * L1.
 */
#ifndef SELFTEST_KVM_VMX_H
#define SELFTEST_KVM_VMX_H

#include "processor.h"

#define CPUID_1_ECX_VMX			BIT(5)
#define X86_CR4_VMXE			BIT(13)

#define MSR_IA32_FEAT_CTL		0x3a
#define FEAT_CTL_LOCKED			BIT(0)
#define FEAT_CTL_VMX_ENABLED		BIT(2)

#define MSR_IA32_VMX_BASIC		0x480
#define MSR_IA32_VMX_CR0_FIXED0		0x486
#define MSR_IA32_VMX_CR4_FIXED0		0x488
#define MSR_IA32_VMX_PROCBASED_CTLS2	0x48b
#define MSR_IA32_VMX_EPT_VPID_CAP	0x48c
#define MSR_IA32_VMX_TRUE_PINBASED_CTLS	0x48d
#define MSR_IA32_VMX_TRUE_PROCBASED_CTLS 0x48e
#define MSR_IA32_VMX_TRUE_EXIT_CTLS	0x48f
#define MSR_IA32_VMX_TRUE_ENTRY_CTLS	0x490
#define MSR_IA32_VMX_VMFUNC		0x491

#define VMX_EPT_EXECUTE_ONLY_BIT	BIT(0)
#define VMX_EPT_1GB_PAGE_BIT		BIT(17)
#define VMX_EPT_AD_BIT			BIT(21)
#define VMX_EPT_EXTENT_GLOBAL_BIT	BIT(26)
#define VMX_VPID_EXTENT_BIT(type)	BIT_ULL(40 + (type))

#define CPU_BASED_TPR_SHADOW		BIT(21)
#define CPU_BASED_ACTIVATE_SECONDARY_CONTROLS	BIT(31)
#define SECONDARY_EXEC_ENABLE_EPT	BIT(1)
#define SECONDARY_EXEC_ENABLE_VPID	BIT(5)
#define SECONDARY_EXEC_ENABLE_VMFUNC	BIT(13)
#define SECONDARY_EXEC_ENABLE_PML	BIT(17)
#define VMFUNC_EPTP_SWITCHING		BIT(0)
#define VM_EXIT_HOST_ADDR_SPACE_SIZE	BIT(9)
#define VM_EXIT_LOAD_IA32_EFER		BIT(21)
#define VM_ENTRY_IA32E_MODE		BIT(9)
#define VM_ENTRY_LOAD_IA32_EFER		BIT(15)

#define EXIT_REASON_EXCEPTION_NMI	0
#define EXIT_REASON_TRIPLE_FAULT	2
#define EXIT_REASON_VMCALL		18
#define EXIT_REASON_EPT_VIOLATION	48
#define EXIT_REASON_EPT_MISCONFIG	49
#define EXIT_REASON_VMFUNC		59
#define EXIT_REASON_PML_FULL		62
#define EXIT_REASON_FAILED_VMENTRY	BIT_ULL(31)

/* VM_INSTRUCTION_ERROR */
#define VMXERR_INVALID_CONTROLS		7
#define VMXERR_INVALID_OPERAND		28	/* of INVEPT, INVVPID */

/* Exit qualification of an EPT violation. */
#define EPT_VIOLATION_READ		BIT(0)
#define EPT_VIOLATION_WRITE		BIT(1)
#define EPT_VIOLATION_FETCH		BIT(2)
#define EPT_VIOLATION_PRESENT		(BIT(3) | BIT(4) | BIT(5))
#define EPT_VIOLATION_GVA_VALID		BIT(7)
#define EPT_VIOLATION_GVA_TRANSLATED	BIT(8)

#define EPT_READ			BIT_ULL(0)
#define EPT_WRITE			BIT_ULL(1)
#define EPT_EXEC			BIT_ULL(2)
#define EPT_WB				(6ULL << 3)
#define EPT_ACCESSED			BIT_ULL(8)
#define EPT_DIRTY			BIT_ULL(9)
#define EPTP_WB				6ULL
#define EPTP_4_LEVELS			(3ULL << 3)
#define EPTP_AD				BIT_ULL(6)

enum vmcs_field {
	VIRTUAL_PROCESSOR_ID		= 0x0000,
	GUEST_ES_SELECTOR		= 0x0800,
	GUEST_CS_SELECTOR		= 0x0802,
	GUEST_SS_SELECTOR		= 0x0804,
	GUEST_DS_SELECTOR		= 0x0806,
	GUEST_FS_SELECTOR		= 0x0808,
	GUEST_GS_SELECTOR		= 0x080a,
	GUEST_LDTR_SELECTOR		= 0x080c,
	GUEST_TR_SELECTOR		= 0x080e,
	GUEST_PML_INDEX			= 0x0812,
	HOST_ES_SELECTOR		= 0x0c00,
	HOST_CS_SELECTOR		= 0x0c02,
	HOST_SS_SELECTOR		= 0x0c04,
	HOST_DS_SELECTOR		= 0x0c06,
	HOST_FS_SELECTOR		= 0x0c08,
	HOST_GS_SELECTOR		= 0x0c0a,
	HOST_TR_SELECTOR		= 0x0c0c,
	PML_ADDRESS			= 0x200e,
	VIRTUAL_APIC_PAGE_ADDR		= 0x2012,
	VM_FUNCTION_CONTROL		= 0x2018,
	EPT_POINTER			= 0x201a,
	EPTP_LIST_ADDRESS		= 0x2024,
	GUEST_PHYSICAL_ADDRESS		= 0x2400,
	VMCS_LINK_POINTER		= 0x2800,
	GUEST_IA32_EFER			= 0x2806,
	GUEST_PDPTR2			= 0x280e,
	HOST_IA32_EFER			= 0x2c02,
	PIN_BASED_VM_EXEC_CONTROL	= 0x4000,
	CPU_BASED_VM_EXEC_CONTROL	= 0x4002,
	EXCEPTION_BITMAP		= 0x4004,
	VM_EXIT_CONTROLS		= 0x400c,
	VM_ENTRY_CONTROLS		= 0x4012,
	VM_ENTRY_INTR_INFO		= 0x4016,
	VM_ENTRY_EXCEPTION_ERROR_CODE	= 0x4018,
	SECONDARY_VM_EXEC_CONTROL	= 0x401e,
	VM_INSTRUCTION_ERROR		= 0x4400,
	VM_EXIT_REASON			= 0x4402,
	VM_EXIT_INTR_INFO		= 0x4404,
	VM_EXIT_INTR_ERROR_CODE		= 0x4406,
	IDT_VECTORING_INFO		= 0x4408,
	IDT_VECTORING_ERROR_CODE	= 0x440a,
	GUEST_ES_LIMIT			= 0x4800,
	GUEST_TR_LIMIT			= 0x480e,
	GUEST_GDTR_LIMIT		= 0x4810,
	GUEST_IDTR_LIMIT		= 0x4812,
	GUEST_ES_AR_BYTES		= 0x4814,
	GUEST_CS_AR_BYTES		= 0x4816,
	GUEST_LDTR_AR_BYTES		= 0x4820,
	GUEST_TR_AR_BYTES		= 0x4822,
	EXIT_QUALIFICATION		= 0x6400,
	GUEST_LINEAR_ADDRESS		= 0x640a,
	GUEST_CR0			= 0x6800,
	GUEST_CR3			= 0x6802,
	GUEST_CR4			= 0x6804,
	GUEST_TR_BASE			= 0x6814,
	GUEST_GDTR_BASE			= 0x6816,
	GUEST_IDTR_BASE			= 0x6818,
	GUEST_DR7			= 0x681a,
	GUEST_RSP			= 0x681c,
	GUEST_RIP			= 0x681e,
	GUEST_RFLAGS			= 0x6820,
	HOST_CR0			= 0x6c00,
	HOST_CR3			= 0x6c02,
	HOST_CR4			= 0x6c04,
	HOST_TR_BASE			= 0x6c0a,
	HOST_GDTR_BASE			= 0x6c0c,
	HOST_IDTR_BASE			= 0x6c0e,
	HOST_RSP			= 0x6c14,
	HOST_RIP			= 0x6c16,
};

struct vmx_pages {
	void *vmxon, *vmcs;
	gpa_t vmxon_gpa, vmcs_gpa;
	uint64_t tr_base;		/* of L1 */
	bool launched;
};

/* The host's: pages for L1. */
void vcpu_alloc_vmx(struct kvm_vcpu *vcpu, struct vmx_pages *vmx);

static inline uint64_t vmreadz(enum vmcs_field field)
{
	uint64_t value;

	asm volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static inline void vmwrite(enum vmcs_field field, uint64_t value)
{
	asm volatile("vmwrite %1, %0" : : "r"((uint64_t)field), "r"(value) : "cc");
}

/* Types 1: of @eptp, 2: all. False when the CPU refuses. */
static inline bool invept(uint64_t type, uint64_t eptp)
{
	const uint64_t desc[2] = { eptp, 0 };
	bool failed;

	asm volatile("invept %1, %2" : "=@ccbe"(failed) : "m"(desc), "r"(type)
		     : "memory");
	return !failed;
}

/* Types 0: @gva of @vpid, 1: all of @vpid, 2: all, 3: as 1, without global pages. */
static inline bool invvpid(uint64_t type, uint64_t vpid, gva_t gva)
{
	const uint64_t desc[2] = { vpid, gva };
	bool failed;

	asm volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(desc), "r"(type)
		     : "memory");
	return !failed;
}

/* VMXON; false when the CPU refuses. */
bool prepare_for_vmx_operation(struct vmx_pages *vmx);
/* VMCLEAR and VMPTRLD. */
bool load_vmcs(struct vmx_pages *vmx);
/* Has L2 be what L1 is itself, at @guest_rip; @eptp is 0 for no EPT. */
void prepare_vmcs(struct vmx_pages *vmx, void *guest_rip, void *guest_rsp,
		  uint64_t eptp);
/*
 * VMLAUNCH or VMRESUME with @arg in L2's RDI; its other general registers are
 * lost. False when there was no entry.
 */
bool vmx_run_guest(struct vmx_pages *vmx, void *arg);

#endif /* SELFTEST_KVM_VMX_H */
