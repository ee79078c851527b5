// SPDX-License-Identifier: GPL-2.0-only
// title: of several invalidations at a time only the range of the first one counts
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: mmu_notifier_test.kvm.fault_during_two_invalidations
//
// While memory is being taken away elsewhere, a fault in the range that goes second is
// not retried, and maps a page that is about to be freed.

@@
expression kvm, start, end;
@@
- kvm->mmu_invalidate_range_start =
-	min(kvm->mmu_invalidate_range_start, start);
- kvm->mmu_invalidate_range_end =
-	max(kvm->mmu_invalidate_range_end, end);
