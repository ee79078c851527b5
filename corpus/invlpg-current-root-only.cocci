// SPDX-License-Identifier: GPL-2.0-only
// title: INVLPG is for the current root only
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: intel
// params: kvm_intel.ept=0
// shows: data
// caught-by: guest_roots_test.kvm.invlpg_reaches_global_pages_of_other_pcids
// hunks: 1
//
// Global pages of other PCIDs stay as they were for who goes back there without a flush.

@@
identifier mmu, vcpu, gva, i;
@@
- 		for (i = 0; i < KVM_MMU_NUM_PREV_ROOTS; i++)
- 			if (VALID_PAGE(mmu->prev_roots[i].hpa))
- 				mmu->invlpg(vcpu, gva, mmu->prev_roots[i].hpa);
