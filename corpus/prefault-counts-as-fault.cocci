// SPDX-License-Identifier: GPL-2.0-only
// title: faults that no guest has taken are counted as taken
// fix: 5186ec223b68 "KVM: x86/mmu: Bump pf_taken stat only in the "real" page fault handler"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 2
// caught-by: prefault_test.backing.anonymous.maps_what_the_guest_would
//
// Page faults are handled by one function for guests, for asynchronous page faults
// and for KVM_PRE_FAULT_MEMORY. When that function counts, and does not ask for
// whom it works, a VMM that maps its guest's memory ahead sees as many faults as
// if it had not.

@@
@@
- vcpu->stat.pf_taken++;

@@
identifier f = kvm_mmu_do_page_fault;
identifier r;
@@
 int f(...)
 {
 ...
 int r;
+ vcpu->stat.pf_taken++;
 ...
 }
