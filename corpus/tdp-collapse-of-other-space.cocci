// SPDX-License-Identifier: GPL-2.0-only
// title: small pages are joined outside SMM when a slot of SMM's is logged no more
// fix: never merged; what 14881998566d "kvm: x86/mmu: Support disabling dirty logging for the tdp MMU" must get right
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd
// shows: stats
// hunks: 1
// caught-by: dirty_split_test.slot.of_smm.is_split_and_joined_alone

@@
@@
 kvm_tdp_mmu_zap_collapsible_sptes(...)
 {
 <...
- slot->as_id
+ 0
 ...>
 }
