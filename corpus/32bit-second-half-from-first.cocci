// SPDX-License-Identifier: GPL-2.0-only
// title: the second half of a 32-bit page table is synced from the first
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.mode.32bit.edits_in_one_mode
//
// A page table of 4-byte entries is shadowed by two pages. The role of the second says
// so, and what it shadows begins in the middle of the guest's page. Here INVLPG and
// syncs read it from the start: entries of the first half decide about the second.

@@
@@
 FNAME__get_level1_sp_gpa__(...)
 {
 <...
- offset = sp->role.quadrant << SPTE_LEVEL_BITS;
+ offset = 0;
 ...>
 }
