// SPDX-License-Identifier: GPL-2.0-only
// title: a page that becomes a page table stays writable where a page of 1G maps it
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
// The reverse maps of each size of pages must be looked at.

@@
identifier i;
statement S;
@@
  kvm_mmu_slot_gfn_write_protect(...)
  {
  <...
- for (i = min_level; i <= KVM_MAX_HUGEPAGE_LEVEL; ++i)
+ for (i = min_level; i < KVM_MAX_HUGEPAGE_LEVEL; ++i)
  S
  ...>
  }
