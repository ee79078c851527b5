// SPDX-License-Identifier: GPL-2.0-only
// title: a PDPTE that leads nowhere gets a root
// fix: 8986ecc0ef58 "KVM: x86: check for cr3 validity in mmu_alloc_roots"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: panic
// hunks: 1
// caught-by: guest_modes_test.kvm.pdpte_that_leads_nowhere
//
// A shadow page is accounted for in the memslot of the guest's table. There must be one:
// else the host dies of a guest's CR3 write.

@@
@@
 mmu_alloc_shadow_roots(...)
 {
 <...
- if (mmu_check_root(vcpu, pdptrs[i] >> PAGE_SHIFT))
- 	return 1;
 ...>
 }
