// SPDX-License-Identifier: GPL-2.0-only
// title: a page table is synced but may still be written
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_shootdown_test.flush.cr3.edits_count_for_the_other_vcpu
//
// A page table that is out of sync is writable for the guest. Before a sync it must be
// write-protected, so that the next edit is seen; here it is taken for synced and stays
// writable, and later edits count for nobody.

@@
@@
 mmu_sync_children(...)
 {
 <...
- protected |= kvm_vcpu_write_protect_gfn(vcpu, sp->gfn);
+ ;
 ...>
 }
