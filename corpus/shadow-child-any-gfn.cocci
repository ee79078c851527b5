// SPDX-License-Identifier: GPL-2.0-only
// title: a shadow page of another gfn is taken for the right one
// fix: 0cb2af2ea66a "KVM: x86: Fix shadow paging use-after-free due to unexpected GFN"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: panic
// hunks: 1
// caught-by: host_edits_test.entry.pde.of_any_kind_becomes_another
//
// Where a present SPTE leads to a shadow page, that one is used. If a VMM has changed
// the guest's entry, it is the one of another large page, or none of a large page at
// all; what is entered into a reverse map is then looked up in another.

@@
@@
- if (is_shadow_present_pte(*sptep) &&
-     !is_large_pte(*sptep) &&
-     spte_to_child_sp(*sptep) &&
-     spte_to_child_sp(*sptep)->gfn == gfn &&
-     spte_to_child_sp(*sptep)->role.word == role.word)
+ if (is_shadow_present_pte(*sptep) && !is_large_pte(*sptep))
  return ERR_PTR(-EEXIST);
