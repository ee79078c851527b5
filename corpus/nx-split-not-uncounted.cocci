// SPDX-License-Identifier: GPL-2.0-only
// title: a split that is undone stays in nx_lpage_splits
// fix: never merged; what b8e8c8303ff2 "kvm: mmu: ITLB_MULTIHIT mitigation" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: stats
// hunks: 1
// caught-by: nx_huge_page_test.kvm.deleted_and_unmapped_pages_are_not_counted_any_more
//
// The count drives recovery, which then zaps more and more for nothing.

@@
expression kvm;
@@
- --kvm->stat.nx_lpage_splits;
