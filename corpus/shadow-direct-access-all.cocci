// SPDX-License-Identifier: GPL-2.0-only
// title: a large page's shadow page does not depend on its rights
// fix: d28c6cfbbc5e "KVM: MMU: Fix hugepage pdes mapping same physical address with different access"
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data hang
// hunks: 1
// caught-by: access_test.upper.pdpte_of_2m.every_combination
//
// Of a large page of the guest's that KVM maps by small ones, the shadow page depends
// on the access that the large entry allows. Here it is always full access: two large
// entries for the same page share what they lead to, and small pages that KVM maps
// ahead get more than the guest gave.

@@
@@
 FNAME__fetch__(...)
 {
 <...
- sp = kvm_mmu_get_child_sp(vcpu, it.sptep, base_gfn, true, direct_access);
+ sp = kvm_mmu_get_child_sp(vcpu, it.sptep, base_gfn, true, ACC_ALL);
 ...>
 }
