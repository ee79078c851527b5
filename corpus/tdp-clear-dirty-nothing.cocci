// SPDX-License-Identifier: GPL-2.0-only
// title: a page that was logged stays dirty for the CPU
// fix: never merged; what a6a0b05da9f3 "kvm: x86/mmu: Support dirty logging for the TDP MMU" must get right
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: intel
// params: cpu=+pml
// shows: data
// hunks: 1
// caught-by: dirty_writers_test.log.bitmap.single_stores
//
// With a log of its own, the CPU logs a page when it makes it dirty.

@@
@@
 clear_dirty_pt_masked(...)
 {
 <...
- new_spte = iter.old_spte & ~shadow_dirty_mask;
+ new_spte = iter.old_spte;
 ...>
 }
