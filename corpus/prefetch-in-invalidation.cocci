// SPDX-License-Identifier: GPL-2.0-only
// title: pages are mapped ahead of a fault while they are being invalidated
// fix: 4a42d848db95 "KVM: x86/mmu: Consider the hva in mmu_notifier retry"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.tdp_mmu=0
// shows: data log
// hunks: 1
// caught-by: long_invalidation_test.kvm.neighbour_of_what_goes_is_touched
//
// The fault is for a page that is not in the range, and its neighbours are. The check
// came with the fix, as until then no fault got that far during an invalidation.
@@
identifier vcpu, sp, sptep;
@@
- if (unlikely(vcpu->kvm->mmu_invalidate_in_progress))
- 	return;
  __direct_pte_prefetch(vcpu, sp, sptep);
