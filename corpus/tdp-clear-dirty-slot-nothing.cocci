// SPDX-License-Identifier: GPL-2.0-only
// title: what was dirty before a slot is logged stays so for the CPU
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
 clear_dirty_gfn_range(...)
 {
 <...
- iter.old_spte & shadow_dirty_mask
+ iter.old_spte & shadow_dirty_mask && iter.level > PG_LEVEL_4K
 ...>
 }
