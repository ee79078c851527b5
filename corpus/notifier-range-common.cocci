// SPDX-License-Identifier: GPL-2.0-only
// title: of several invalidations at a time only what they have in common counts
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: mmu_notifier_test.kvm.fault_during_two_invalidations
//
// The ranges are intersected where they should be joined: while two are being taken
// away, a fault in either is not retried.

@@
expression kvm, start, end;
@@
- kvm->mmu_invalidate_range_start =
-	min(kvm->mmu_invalidate_range_start, start);
- kvm->mmu_invalidate_range_end =
-	max(kvm->mmu_invalidate_range_end, end);
+ kvm->mmu_invalidate_range_start =
+	max(kvm->mmu_invalidate_range_start, start);
+ kvm->mmu_invalidate_range_end =
+	min(kvm->mmu_invalidate_range_end, end);
