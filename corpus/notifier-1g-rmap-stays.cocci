// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation does not look at the rmaps of 1G pages
// fix: never merged; the level that the walk of the MMU notifier must reach
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.tdp_mmu=0
// params: kvm_amd.npt=0
// shows: data stats
// caught-by: large_page_test.kvm.hole_in_1g
// hunks: 1
//
// Memory of 1G pages of hugetlbfs that the host has punched a hole in stays the
// guest's.

@@
identifier range, iterator;
iterator name for_each_slot_rmap_range;
@@
  for_each_slot_rmap_range(range->slot, PG_LEVEL_4K,
- KVM_MAX_HUGEPAGE_LEVEL,
+ PG_LEVEL_2M,
  ...) { ... }
