// SPDX-License-Identifier: GPL-2.0-only
// title: a guest without paging gets 1G pages
// fix: never merged; the PAE tables that shadow it have no pages larger than 2M
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: errno log
// hunks: 1
// caught-by: guest_modes_test.kvm.without_paging_in_1g_pages
//
// An SPTE of 1G is put where only a table may be, and the next walk finds reserved bits.

@@
@@
  nonpaging_page_fault(...)
  {
  ...
- fault->max_level = PG_LEVEL_2M;
+ fault->max_level = PG_LEVEL_1G;
  ...
  }
