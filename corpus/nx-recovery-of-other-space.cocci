// SPDX-License-Identifier: GPL-2.0-only
// title: recovery of split pages in SMM looks at the slots outside
// fix: 817fa998362d "KVM: x86/mmu: Grab memslot for correct address space in NX recovery worker"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// shows: stats log
// hunks: 1
// caught-by: nx_huge_page_test.kvm.recovery_in_smm
//
// Whether the page's slot is logged is asked of the slot at that gfn outside SMM.

@@
@@
 kvm_mmu_sp_dirty_logging_enabled(...)
 {
 <...
- kvm_memslots_for_spte_role(kvm, sp->role)
+ kvm_memslots(kvm)
 ...>
 }
