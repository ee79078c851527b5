// SPDX-License-Identifier: GPL-2.0-only
/* The state of a vCPU that is in L2: saved, loaded, dropped; see include/nested.h. */
#include <string.h>

#include "nested_internal.h"

/* What else L1 has set up. */
static uint32_t nested_msr(void)
{
	return host_is_amd() ? MSR_VM_HSAVE_PA : MSR_IA32_FEAT_CTL;
}

void nested_vcpu_save(struct kvm_vcpu *vcpu, struct nested_vcpu_state *state)
{
	union one_msr msr = { .msrs.nmsrs = 1 };

	msr.msrs.entries[0].index = nested_msr();
	/* RIP is behind the access that has exited. */
	vcpu_run_complete_io(vcpu);
	memset(state, 0, sizeof(*state));
	state->nested.size = sizeof(state->size);
	vcpu_sregs_get(vcpu, &state->sregs);
	vcpu_regs_get(vcpu, &state->regs);
	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &state->events);
	vcpu_ioctl(vcpu, KVM_GET_MSRS, &msr);
	state->msr = msr.msrs.entries[0].data;
	vcpu_ioctl(vcpu, KVM_GET_NESTED_STATE, &state->nested);
}

void nested_vcpu_load(struct kvm_vcpu *vcpu, struct nested_vcpu_state *state)
{
	struct kvm_mp_state mp_state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	union one_msr msr = { .msrs.nmsrs = 1 };

	msr.msrs.entries[0].index = nested_msr();
	msr.msrs.entries[0].data = state->msr;
	vcpu_sregs_set(vcpu, &state->sregs);
	vcpu_ioctl(vcpu, KVM_SET_MSRS, &msr);
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &state->events);
	vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &mp_state);
	vcpu_regs_set(vcpu, &state->regs);
	vcpu_ioctl(vcpu, KVM_SET_NESTED_STATE, &state->nested);
}

bool vcpu_is_in_l2(struct kvm_vcpu *vcpu)
{
	struct nested_vcpu_state state = { .nested.size = sizeof(state.size) };

	vcpu_ioctl(vcpu, KVM_GET_NESTED_STATE, &state.nested);
	return state.nested.flags & KVM_STATE_NESTED_GUEST_MODE;
}

void vcpu_leave_nested(struct kvm_vcpu *vcpu)
{
	struct kvm_nested_state none = {
		.size = sizeof(none),
		.format = host_is_amd() ? KVM_STATE_NESTED_FORMAT_SVM :
					  KVM_STATE_NESTED_FORMAT_VMX,
	};

	if (host_is_amd()) {
		none.flags = KVM_STATE_NESTED_GIF_SET;
		none.hdr.svm.vmcb_pa = ~0ULL;
	} else {
		none.hdr.vmx.vmxon_pa = none.hdr.vmx.vmcs12_pa = ~0ULL;
	}
	vcpu_ioctl(vcpu, KVM_SET_NESTED_STATE, &none);
}

/* The same memory at the same gpas, no vCPU yet. */
static struct kvm_vm *vm_clone(struct kvm_vm *old)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct userspace_mem_region *r;

	vm_ioctl(vm, KVM_CREATE_IRQCHIP, 0);
	vm->pa_bits = old->pa_bits;
	vm->max_gfn = old->max_gfn;
	vm->top_level = old->top_level;
	vm->pgd = old->pgd;
	vm->next_sys_gpa = old->next_sys_gpa;
	vm->next_gva = old->next_gva;
	vm->gdt = old->gdt;
	vm->idt = old->idt;
	for (r = old->regions; r; r = r->next)
		vm_mem_region_add_backing(vm, &r->mem, r->mem.hva, r->gpa, r->slot,
					  r->size / PAGE_SIZE, r->flags);
	return vm;
}

void nested_migrate(struct nested *n)
{
	static struct nested_vcpu_state states[NESTED_MAX_CPUS];
	struct kvm_vm *old = n->vm, *new = vm_clone(old);
	unsigned int i;

	TEST_ERROR_ON(n->moved_from, "one migration only");
	for (i = 0; i < old->nr_vcpus; i++) {
		nested_vcpu_save(old->vcpus[i], &states[i]);
		n->cpu[i].vcpu = vm_vcpu_add(new, old->vcpus[i]->id, NULL);
		vcpu_ioctl(n->cpu[i].vcpu, KVM_SET_CPUID2, kvm_get_supported_cpuid());
		nested_vcpu_load(n->cpu[i].vcpu, &states[i]);
	}
	/* The memory is the old one's until the end. */
	kvm_vm_release(old);
	n->moved_from = old;
	n->vm = new;
}
