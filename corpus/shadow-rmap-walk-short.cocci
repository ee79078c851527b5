// SPDX-License-Identifier: GPL-2.0-only
// title: a walk of a reverse map leaves elements out
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_tables_test.kvm.each_of_many_mappings_is_logged
//
// What maps a page is kept in a list of small arrays. The walk leaves the last element
// of each out: these entries are not write-protected for the dirty log, or when the
// page becomes a page table.

@@
@@
 rmap_get_next(...)
 {
 <...
- iter->pos < PTE_LIST_EXT - 1
+ iter->pos < PTE_LIST_EXT - 2
 ...>
 }
