// SPDX-License-Identifier: GPL-2.0-only
// title: a flush syncs nothing if more is out of sync than fits into one go
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: guest_paging_test.kvm.many_tables_are_edited_before_a_flush
//
// Shadow pages that are out of sync are collected, sixteen at a time, and synced. That
// there are more than sixteen is an error code, and not the end.

@@
@@
 mmu_sync_children(...)
 {
 ...
- while (mmu_unsync_walk(parent, &pages))
+ while (mmu_unsync_walk(parent, &pages) > 0)
 {
 ...
 }
 ...
 }
