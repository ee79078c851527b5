// SPDX-License-Identifier: GPL-2.0-only
// title: a fault that is the guest's leaves a stale translation
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.violation_forgets_the_page
// hunks: 1
//
// What faults is forgotten by the TLB; a shadow page that is not in sync must forget it, too.

@@
expression vcpu, fault;
@@
- kvm_mmu_invalidate_gva(vcpu, fault_mmu, fault->address, fault_mmu->root.hpa);
+ ;
