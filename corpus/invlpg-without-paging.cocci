// SPDX-License-Identifier: GPL-2.0-only
// title: INVLPG of a guest without paging calls a function that is not there
// fix: 9f46c187e2e6 "KVM: x86/mmu: fix NULL pointer dereference on guest INVPCID"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: panic
// hunks: 2
// caught-by: guest_modes_test.kvm.switches_between_modes
//
// Without paging there are no mappings of the guest's to invalidate, and so no
// function that does it; whoever calls it looks first. The fix was for INVPCID.

@@
expression mmu;
expression list args;
@@
(
- if (!mmu->invlpg)
- 	return;
|
- if (mmu->invlpg)
  	mmu->invlpg(args);
)
