// SPDX-License-Identifier: GPL-2.0-only
// title: with TDP, what KVM cannot emulate is not let through to a nested page table
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: hang exit
// hunks: 1
// caught-by: nested_mmu_test.l2.nested_paging.sees_stores_that_kvm_cannot_emulate
//
// KVM protects the tables that an L1 has for its L2, and emulates what is stored there.
// What it cannot emulate is done again by the guest, and by then the table must not be
// shadowed any more. Here that is forgotten where the guest's own paging is not shadowed.

@@
@@
 reexecute_instruction(...)
 {
 ...
 if (vcpu->arch.mmu->root_role.direct) {
 ...
- if (indirect_shadow_pages)
- 	kvm_mmu_unprotect_page(vcpu->kvm, gpa_to_gfn(gpa));
 ...
 }
 ...
 }
