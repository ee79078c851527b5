// SPDX-License-Identifier: GPL-2.0-only
// title: a page fault does not see that an invalidation is in progress
// fix: never merged; what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: mmu_notifier_test.fault.of_4k.meets_pages_that_go
//
// Between the notifier's start, which unmaps, and its end, the host frees pages. A
// fault that got its pfn before must not map it then. The count of invalidations in
// progress says so, the sequence does not yet.

@@
identifier vcpu, fault;
@@
  is_page_fault_stale(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
  {
  ...
- return fault->slot && mmu_invalidate_retry_hva(vcpu->kvm, fault->mmu_seq, fault->hva);
+ return fault->slot && vcpu->kvm->mmu_invalidate_seq != fault->mmu_seq;
  }
