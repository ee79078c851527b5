// SPDX-License-Identifier: GPL-2.0-only
// title: writes of an L2 are left to the CPU's log, which is off for it
// fix: 1f4e5fc83a42 "KVM: x86: fix nested guest live migration with PML"
// files: arch/x86/kvm/mmu/mmu_internal.h
// kernels: 6.1
// hosts: intel
// params: cpu=+pml
// shows: data
// hunks: 1
// caught-by: nested_memslot_test.l2.own_page_tables.writes_are_in_the_dirty_log
//
// The CPU would log gpas of L2's, so that it does not log at all in L2, and pages are
// write-protected instead of made clean.

@@
expression E;
@@
 kvm_mmu_page_ad_need_write_protect(...)
 {
 ...
- return E;
+ return false;
 }
