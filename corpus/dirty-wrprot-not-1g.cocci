// SPDX-License-Identifier: GPL-2.0-only
// title: 1G pages are not write-protected for dirty logging
// fix: never merged; the level that write protection for dirty logging must reach
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.tdp_mmu=0
// shows: data stats
// hunks: 1
// caught-by: dirty_log_test.backing.hugetlb_1g.splits_logs_and_collapses
//
// The walk over a memslot's rmaps stops one level too early.

@@
expression kvm, memslot, start_level;
@@
  slot_handle_level(kvm, memslot, slot_rmap_write_protect, start_level,
- KVM_MAX_HUGEPAGE_LEVEL,
+ PG_LEVEL_2M,
  false)
