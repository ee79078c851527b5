// SPDX-License-Identifier: GPL-2.0-only
// title: a walk over a range of rmaps leaves the last one out
// fix: never merged; the end that walks over a range of rmaps must reach
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.tdp_mmu=0
// params: kvm_amd.npt=0
// shows: data stats
// hunks: 1
// caught-by: mmu_notifier_test.range.over_two_slots.unmaps_all_of_it_and_nothing_else
// caught-by: dirty_writers_test.log.bitmap.single_stores
//
// All that goes by rmaps, the notifier's unmapping and write protection, leaves the
// last page of its range as it was, unless it is also the first.

@@
identifier iterator;
@@
- ++iterator->rmap <= iterator->end_rmap
+ ++iterator->rmap < iterator->end_rmap
