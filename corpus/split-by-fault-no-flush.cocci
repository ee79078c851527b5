// SPDX-License-Identifier: GPL-2.0-only
// title: a fault puts a table in place of a large page and flushes no TLB
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.tdp_mmu=0
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// hunks: 1
// caught-by: dirty_split_test.kvm.unmapping_for_a_write_flushes
//
// All of the large page but one is not mapped any more, and other vCPUs may still use it.
// Nothing is left that would be found when the host takes these pages.

@@
identifier parent_sp, invalid_list;
@@
  __link_shadow_page(...)
  {
  <...
- kvm_mmu_remote_flush_or_zap(kvm, &invalid_list, true);
+ kvm_mmu_remote_flush_or_zap(kvm, &invalid_list, false);
  ...>
  }
