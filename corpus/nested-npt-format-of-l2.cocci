// SPDX-License-Identifier: GPL-2.0-only
// title: L1's nested page tables are read with the EFER and CR4 of L2
// fix: 929d1cfaa692 "KVM: MMU: pass arbitrary CR0/CR4/EFER to kvm_init_shadow_mmu"
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// shows: data
// hunks: 1
// caught-by: nested_state_test.kvm.l2_without_nx_goes_on_in_another_vm
//
// The format of nested page tables, which bits are reserved and whether NX counts,
// is that of L1's own page tables when it did VMRUN. Taken from the vCPU, which has
// L2's registers by then, an L2 without EFER.NX turns each NX in L1's tables into a
// reserved bit, and one with it lets those pass that L1 must not use.

@@
expression vcpu, svm, cr0, cr3;
@@
- kvm_init_shadow_npt_mmu(vcpu, cr0, svm->vmcb01.ptr->save.cr4, svm->vmcb01.ptr->save.efer, cr3);
+ kvm_init_shadow_npt_mmu(vcpu, cr0, kvm_read_cr4(vcpu), vcpu->arch.efer, cr3);
