// SPDX-License-Identifier: GPL-2.0-only
// title: a shadow page of another role is taken for the right one
// fix: 81ccda30b4e8 "KVM: x86: Fix shadow paging use-after-free due to unexpected role"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: panic
// hunks: 1
// caught-by: host_edits_test.entry.pde.of_any_kind_becomes_another
//
// A VMM turns an entry of a large page into one of a table that begins at the same gfn,
// or back. The shadow page of the one does not know which gfns the other one maps.

@@
@@
- if (is_shadow_present_pte(*sptep) &&
-     !is_large_pte(*sptep) &&
-     spte_to_child_sp(*sptep) &&
-     spte_to_child_sp(*sptep)->gfn == gfn &&
-     spte_to_child_sp(*sptep)->role.word == role.word)
+ if (is_shadow_present_pte(*sptep) && !is_large_pte(*sptep) &&
+     spte_to_child_sp(*sptep)->gfn == gfn)
  return ERR_PTR(-EEXIST);
