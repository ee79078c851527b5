// SPDX-License-Identifier: GPL-2.0-only
// title: a guest page table forbids a 2M page around it, and no page of 1G
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: guest_tables_test.table_in_1g.pt.is_written_through_the_large_page
//
// What is counted for each size of large pages must be counted for the largest as well.

@@
identifier i;
statement S;
@@
  update_gfn_disallow_lpage_count(...)
  {
  ...
- for (i = PG_LEVEL_2M; i <= KVM_MAX_HUGEPAGE_LEVEL; ++i)
+ for (i = PG_LEVEL_2M; i < KVM_MAX_HUGEPAGE_LEVEL; ++i)
  S
  }
