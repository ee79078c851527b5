// SPDX-License-Identifier: GPL-2.0-only
// title: an event whose delivery stores to a page table has the instruction at RIP emulated
// fix: 577bdc496614 "KVM: Avoid instruction emulation when event delivery is pending"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: hang data
// hunks: 1
// caught-by: event_delivery_test.kvm.stack_that_is_a_page_table
//
// The page must not be write-protected any more, then; there is no instruction that
// stores there.
@@
identifier vcpu, fault_address;
@@
- if (kvm_event_needs_reinjection(vcpu))
- 	kvm_mmu_unprotect_page_virt(vcpu, fault_address);
