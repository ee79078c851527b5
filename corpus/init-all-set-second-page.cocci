// SPDX-License-Identifier: GPL-2.0-only
// title: initially all set: a group of 64 pages in two large pages protects only the first
// fix: never merged; what 3c9bd4006bfc "KVM: x86: enable dirty log gradually in small chunks" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.eager_page_split=0
// params: kvm.tdp_mmu=0
// shows: data
// hunks: 1
// caught-by: dirty_log_test.initially_set.over_the_boundary.clearing_protects_each_large_page
//
// A memslot's base need not be aligned to 64 pages, so the pages of one word of the
// bitmap may lie in two large pages. The second stays writable.

@@
expression a, b;
@@
- if (ALIGN(a, PMD_SIZE) != ALIGN(b, PMD_SIZE))
-	kvm_mmu_slot_gfn_write_protect(...);
