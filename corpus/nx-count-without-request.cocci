// SPDX-License-Identifier: GPL-2.0-only
// title: splits are counted of pages that could never be large
// fix: 5bcaf3e1715f "KVM: x86/mmu: Account NX huge page disallowed iff huge page was requested"
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: stats
// hunks: 1
// caught-by: nx_huge_page_test.kvm.ends_of_a_slot_do_not_count
//
// Code in memory that is mapped 4K anyhow is counted, and recovered for nothing.

@@
identifier fault, iter;
@@
- fault->huge_page_disallowed && fault->req_level >= iter.level
+ fault->huge_page_disallowed
