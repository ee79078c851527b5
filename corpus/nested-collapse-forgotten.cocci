// SPDX-License-Identifier: GPL-2.0-only
// title: large pages that an L2 has do not come back when dirty logging ends
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 1
// caught-by: nested_rights_test.l2.nested_paging.has_the_rights_of_large_leaves_that_are_split
//
// With TDP, these are in the shadow MMU, and L1's own in the TDP MMU.
@@
identifier kvm, slot;
@@
  write_lock(&kvm->mmu_lock);
- kvm_rmap_zap_collapsible_sptes(kvm, slot);
  write_unlock(&kvm->mmu_lock);
