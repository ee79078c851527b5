// SPDX-License-Identifier: GPL-2.0-only
// title: both halves of a 32-bit page table have one shadow page
// fix: fce0657ff9f1 "KVM: MMU: Respect nonpae pagetable quadrant when zapping ptes"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.mode.32bit.edits_in_one_mode
//
// Both halves of a 32-bit page table get the same role, and so the same shadow page:
// the second 2M are where the first ones are, or the other way round.

@@
@@
 kvm_mmu_child_role(...)
 {
 <...
- role.quadrant = spte_index(sptep) & 1;
+ role.quadrant = 0;
 ...>
 }
