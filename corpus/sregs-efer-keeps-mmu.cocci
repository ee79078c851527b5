// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_SET_SREGS with another EFER keeps the MMU as it was
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: access_test.kvm.user_space_sets_one_register
//
// User space may change one register alone that the format of page tables depends on.

@@
@@
- *mmu_reset_needed |= vcpu->arch.efer != sregs->efer;
