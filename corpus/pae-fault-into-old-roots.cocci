// SPDX-License-Identifier: GPL-2.0-only
// title: a fault maps into four roots that are to be freed
// fix: 18c841e1f411 "KVM: x86: Retry page fault if MMU reload is pending and root has no sp"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats log
// hunks: 1
// caught-by: userfault_test.mode.nonpaged.fault_is_tried_again_with_other_roots
//
// As fault-into-obsolete-root, for roots that are no shadow page and so cannot say
// themselves that they are obsolete: those of PAE, of 32-bit paging and of none.
@@
identifier sp, vcpu;
@@
- if (!sp && kvm_test_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
- 	return true;
