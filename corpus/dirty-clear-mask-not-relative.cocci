// SPDX-License-Identifier: GPL-2.0-only
// title: the TDP MMU clears the dirty state of pages counted from gfn 0
// fix: never merged; what a6a0b05da9f3 "kvm: x86/mmu: Support dirty logging for the TDP MMU" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 2
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// A mask of 64 pages is relative to the memslot. Without its base the wrong pages
// are write-protected again, and what the guest writes next is not logged.

@@
identifier slot, gfn_offset;
@@
  kvm_tdp_mmu_clear_dirty_pt_masked(...,
- slot->base_gfn + gfn_offset,
+ gfn_offset,
  ...)
