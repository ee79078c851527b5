// SPDX-License-Identifier: GPL-2.0-only
// title: a page that is read-only for its log may be made writable when it is a page table
// fix: 7c8a4742c4ab "KVM: x86/mmu: Fix write-protection of PTs mapped by the TDP MMU"
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: nested_memslot_test.l2.nested_paging.tables_are_pages_that_are_logged
//
// A table of L1's for L2 must not be written behind KVM's back. If its page is read-only
// already, since it is logged, the fast page fault must not take this for the reason.

@@
@@
 write_protect_gfn(...)
 {
 <...
  !is_last_spte(iter.old_spte, iter.level)
+ || !is_writable_pte(iter.old_spte)
 ...>
 }
