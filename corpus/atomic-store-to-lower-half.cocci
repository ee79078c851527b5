// SPDX-License-Identifier: GPL-2.0-only
// title: a locked instruction of 4 bytes that KVM emulates is one on the 8 around it
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data hang
// hunks: 1
// caught-by: guest_paging_test.kvm.anything_is_edited_at_any_level
//
// Locked instructions are emulated on RAM where that is a page table, and each size by
// itself. What is exchanged here is the lower half of the word.

@@
@@
 emulator_cmpxchg_emulated(...)
 {
 <...
- emulator_try_cmpxchg_user(u32, hva, old, new)
+ emulator_try_cmpxchg_user(u32, hva & ~7UL, old, new)
 ...>
 }
