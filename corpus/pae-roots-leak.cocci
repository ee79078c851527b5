// SPDX-License-Identifier: GPL-2.0-only
// title: a PDPTE that leads nowhere leaks the roots of those before it
// fix: 6e0918aec49a "KVM: x86/mmu: Check PDPTRs before allocating PAE roots"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: log leak panic
// hunks: 2
// caught-by: guest_modes_test.kvm.pdpte_that_leads_nowhere
//
// A PAE guest has four roots. That one of them is in no memslot is found out when the
// others have been made already, and nobody frees these.

@@
@@
 mmu_alloc_shadow_roots(...)
 {
 <...
- if (mmu_check_root(vcpu, pdptrs[i] >> PAGE_SHIFT))
- 	return 1;
 ...>
 }

@@
@@
 mmu_alloc_shadow_roots(...)
 {
 <...
  root_gfn = pdptrs[i] >> PAGE_SHIFT;
+ if (mmu_check_root(vcpu, root_gfn)) {
+ 	r = 1;
+ 	goto out_unlock;
+ }
 ...>
 }
