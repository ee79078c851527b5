// SPDX-License-Identifier: GPL-2.0-only
/* Entering and leaving SMM, and an SMI handler; see smm.h. */
#include "processor.h"
#include "smm.h"

/* After reset, SDM vol. 3 section 32.11; APM vol. 2 section 10.2.1. */
#define SMBASE			0x30000UL
#define SMRAM_SIZE		SZ_64K
#define HANDLER_OFFSET		0x8000UL
#define ORDER_OFFSET		0x9000UL
#define ORDER_PORT		0x1004

struct smm_order {
	uint32_t op, gpa, value;
};

/*
 * Real mode as an SMI leaves it: data segments start at 0 and have 4G, so that
 * an address of 32 bits is a gpa.
 */
extern char smi_handler[], smi_handler_end[];
asm(".pushsection .rodata\n"
    ".code16\n"
    "smi_handler:\n\t"
    "movl	$0x39000, %esi\n"		/* SMBASE + ORDER_OFFSET */
    "1:\n\t"
    "movl	(%esi), %eax\n\t"
    "movl	4(%esi), %ebx\n\t"
    "cmpl	$1, %eax\n\t"
    "ja		4f\n\t"
    "je		2f\n\t"
    "movl	(%ebx), %ecx\n\t"		/* SMM_READ */
    "movl	%ecx, 8(%esi)\n\t"
    "jmp	3f\n"
    "2:\n\t"					/* SMM_WRITE */
    "movl	8(%esi), %ecx\n\t"
    "movl	%ecx, (%ebx)\n"
    "3:\n\t"
    "movw	$0x1004, %dx\n\t"		/* ORDER_PORT */
    "outb	%al, %dx\n\t"
    "jmp	1b\n"
    "4:\n\t"					/* SMM_RSM */
    "rsm\n"
    "smi_handler_end:\n"
    ".code64\n"
    ".popsection");

void vm_smm_init(struct kvm_vm *vm)
{
	struct userspace_mem_region *r = vm_get_mem_region(vm, VM_SYS_SLOT);

	__TEST_REQUIRE(vm_check_cap(vm, KVM_CAP_MULTI_ADDRESS_SPACE) > 1,
		       "needs KVM_CAP_MULTI_ADDRESS_SPACE of 2: a kernel with CONFIG_KVM_SMM");
	vm_mem_region_add_backing(vm, &r->mem, r->mem.hva, r->gpa,
				  SMM_SLOT(VM_SYS_SLOT), r->size / PAGE_SIZE, 0);
}

static bool is_in_smm(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	return events.smi.smm;
}

void vcpu_set_smm(struct kvm_vcpu *vcpu, bool smm)
{
	struct kvm_vcpu_events events;

	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	events.flags = KVM_VCPUEVENT_VALID_SMM;
	events.smi.smm = smm;
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, is_in_smm(vcpu) == smm,
			   "vCPU %u was put %s SMM, but is not there", vcpu->id,
			   smm ? "into" : "out of");
}

void vcpu_expect_smm(struct kvm_vcpu *vcpu, bool smm)
{
	bool flag = vcpu->run->flags & KVM_RUN_X86_SMM;

	TEST_ASSERT_ORACLE(ORACLE_EXIT, is_in_smm(vcpu) == smm && flag == smm,
			   "vCPU %u must be %s SMM, but smi.smm of its events is %d and KVM_RUN_X86_SMM of its last exit %d",
			   vcpu->id, smm ? "in" : "out of", is_in_smm(vcpu), flag);
}

/* Seen on 5.10: vcpu_match_mmio_gen() looks at address space 0, wherever it is. */
void smm_skip_known_bug(void)
{
	if (!kernel_at_least(5, 11) && !kvm_test_option("known_bugs", 0))
		test_skip("a known bug of this kernel: the MMIO page that a vCPU remembers outlives updates of SMM's slots; --set known_bugs=1 makes it a failure");
}

static volatile struct smm_order *smm_order(struct kvm_vm *vm)
{
	struct userspace_mem_region *r = vm->regions;

	while (r && (r->slot < SMM_SLOT(0) || r->gpa != SMBASE))
		r = r->next;
	TEST_ERROR_ON(!r, "the VM has no SMRAM");
	return (void *)((char *)r->mem.hva + ORDER_OFFSET);
}

void vm_smi_handler_init(struct kvm_vm *vm, uint32_t slot)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, SMBASE, SMM_SLOT(slot),
				    SMRAM_SIZE / PAGE_SIZE, 0);
	memcpy((char *)smm_order(vm) - ORDER_OFFSET + HANDLER_OFFSET, smi_handler,
	       smi_handler_end - smi_handler);
}

void vcpu_smi(struct kvm_vcpu *vcpu)
{
	vcpu_ioctl(vcpu, KVM_SMI, NULL);
}

void vcpu_smm_order(struct kvm_vcpu *vcpu, enum smm_op op, uint32_t gpa,
		    uint32_t value)
{
	volatile struct smm_order *order = smm_order(vcpu->vm);

	order->op = op;
	order->gpa = gpa;
	order->value = value;
}

uint32_t vcpu_smm_finish(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	if (vcpu->run->exit_reason != KVM_EXIT_IO || vcpu->run->io.port != ORDER_PORT)
		vcpu_unexpected_exit(vcpu, "the SMI handler's access to be over");
	vcpu_expect_smm(vcpu, true);
	return smm_order(vcpu->vm)->value;
}
