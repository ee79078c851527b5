// SPDX-License-Identifier: GPL-2.0-only
// title: a store across two page table entries zaps one
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_tables_test.table.pd.stores_across_two_entries
//
// A store to a page table that is not a store to one entry, such as 8 bytes from the
// middle of an entry on, makes KVM give the shadow page up. Without that, only the
// entry that the store begins in is zapped, and the next one is used as it was.

@@
@@
 kvm_mmu_pte_write(...)
 {
 <...
- detect_write_misaligned(sp, gpa, bytes) ||
   detect_write_flooding(sp)
 ...>
 }
