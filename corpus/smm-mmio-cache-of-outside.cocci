// SPDX-License-Identifier: GPL-2.0-only
// title: in SMM, the MMIO page that a vCPU remembers is of the outside's generation
// fix: not known; right since Linux 5.11
// files: arch/x86/kvm/x86.h
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 2
// caught-by: smm_memslot_test.update.smm_all_in_smm.changes_its_address_space_only
//
// The note and its comparison take the generation of the normal address space, as up to
// Linux 5.10. Updates of SMM's slots leave it valid.

@@
identifier vcpu;
@@
vcpu_cache_mmio_info(struct kvm_vcpu *vcpu, ...)
{
- u64 gen = kvm_vcpu_memslots(vcpu)->generation;
+ u64 gen = kvm_memslots(vcpu->kvm)->generation;
...
}

@@
identifier vcpu;
@@
vcpu_match_mmio_gen(struct kvm_vcpu *vcpu)
{
- return vcpu->arch.mmio_gen == kvm_vcpu_memslots(vcpu)->generation;
+ return vcpu->arch.mmio_gen == kvm_memslots(vcpu->kvm)->generation;
}
