// SPDX-License-Identifier: GPL-2.0-only
// title: the end of an invalidation does not count down
// fix: never merged; what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: hang
// hunks: 1
// caught-by: host_page_test.drop.madvise_4k.leaves_zeroes_and_nothing_else
//
// The count of invalidations stays above 0 for ever: no fault in the range is ever
// handled again, the vCPU retries until the end of time.

@@
expression kvm;
@@
- kvm->mmu_invalidate_in_progress--;
+ (void)kvm;
