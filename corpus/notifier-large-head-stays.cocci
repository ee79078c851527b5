// SPDX-License-Identifier: GPL-2.0-only
// title: the TDP MMU does not unmap a large page that begins before the range
// fix: never merged; what 063afacd8730 "kvm: x86/mmu: Support invalidate range MMU notifier for TDP MMU" must get right
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: data stats
// hunks: 1
// caught-by: host_page_test.drop.madvise_4k_of_thp.leaves_zeroes_and_nothing_else
//
// The host takes 4K out of the middle of a huge page. The SPTE maps 2M, from a gfn
// that is not in the range, and must go all the same.

@@
@@
  tdp_mmu_zap_leafs(...)
  {
  <...
- !is_shadow_present_pte(iter.old_spte)
+ !is_shadow_present_pte(iter.old_spte) || iter.gfn < start
  ...>
  }
