// SPDX-License-Identifier: GPL-2.0-only
// title: large pages are split outside SMM when a slot of SMM's is logged
// fix: never merged; what a3fe5dbda0a4 "KVM: x86/mmu: Split huge pages mapped by the TDP MMU when dirty logging is enabled" must get right
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd
// shows: stats
// hunks: 1
// caught-by: dirty_split_test.slot.of_smm.is_split_and_joined_alone

@@
@@
 kvm_tdp_mmu_try_split_huge_pages(...)
 {
 <...
- slot->as_id
+ 0
 ...>
 }
