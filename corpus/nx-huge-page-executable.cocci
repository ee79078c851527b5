// SPDX-License-Identifier: GPL-2.0-only
// title: large pages are executable in spite of kvm.nx_huge_pages
// fix: never merged; what b8e8c8303ff2 "kvm: mmu: ITLB_MULTIHIT mitigation" must get right
// files: arch/x86/kvm/mmu/spte.c
// kernels: 6.1
// hosts: amd intel
// shows: stats
// hunks: 1
// caught-by: nx_huge_page_test.kvm.only_what_is_executed_is_split
//
// The guest executes from a large page, which is what the workaround is to prevent.

@@
expression pte_access;
@@
  if (level > PG_LEVEL_4K && (pte_access & ACC_EXEC_MASK) && ...) {
- pte_access &= ~ACC_EXEC_MASK;
  }
