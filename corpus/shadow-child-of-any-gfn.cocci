// SPDX-License-Identifier: GPL-2.0-only
// title: a shadow page that is linked is used for another gfn
// fix: 0cb2af2ea66a "KVM: x86: Fix shadow paging use-after-free due to unexpected GFN"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: log panic
// caught-by: host_edits_rmap_test.entry.of_2m.for_an_l2_is_turned_into_another
// hunks: 1
//
// The VMM has let an entry lead somewhere else, and KVM was not told. What is mapped
// then, in the shadow page of the old place, is looked for in the wrong reverse map
// when it is to go.

@@
expression e, f;
@@
 kvm_mmu_get_child_sp(...)
 {
 <...
- e && spte_to_child_sp(*sptep)->gfn == gfn && f
+ e && f
 ...>
 }
