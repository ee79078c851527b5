// SPDX-License-Identifier: GPL-2.0-only
// title: the end of an invalidation does not move the sequence on
// fix: never merged; what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: stats
// hunks: 1
// caught-by: userfault_test.sleeping_fault.page.is_tried_again
//
// A fault reads the sequence, looks the host's page up, and takes mmu_lock. If the
// host has taken the page away in between, from the notifier's start to its end, the
// count of invalidations is 0 again and only the sequence tells. Without it the fault
// maps a page that is free, or somebody else's.

@@
identifier kvm;
@@
- kvm->mmu_invalidate_seq++;
  smp_wmb();
