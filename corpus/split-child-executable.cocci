// SPDX-License-Identifier: GPL-2.0-only
// title: a large page that L1 does not let L2 execute is executable when it is split
// fix: never merged
// files: arch/x86/kvm/mmu/spte.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.nx_huge_pages=1
// shows: data
// hunks: 1
// caught-by: nested_rights_test.l2.nested_paging.has_the_rights_of_large_leaves_that_are_split
//
// Large pages are not executable with kvm.nx_huge_pages, and small ones are again, if
// whoever maps them says so.
@@
identifier role, kvm;
@@
- (role.access & ACC_EXEC_MASK) && is_nx_huge_page_enabled(kvm)
+ is_nx_huge_page_enabled(kvm)
