// SPDX-License-Identifier: GPL-2.0-only
// title: a shadow page that is linked is used in another role
// fix: 81ccda30b4e8 "KVM: x86: Fix shadow paging use-after-free due to unexpected role"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: log panic
// caught-by: host_edits_rmap_test.entry.of_2m.for_an_l2_is_turned_into_another
// hunks: 1
//
// The VMM has put a table where a large page was, at the same gpa. The pages that it
// maps go into the shadow page of the large page, whose gfns are a row.

@@
expression e;
@@
 kvm_mmu_get_child_sp(...)
 {
 <...
- e && spte_to_child_sp(*sptep)->role.word == role.word
+ e
 ...>
 }
