// SPDX-License-Identifier: GPL-2.0-only
// title: INVVPID without EPT leaves the shadow pages of L2
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// params: kvm_intel.ept=0
// shows: data
// caught-by: nested_ept_test.kvm.invvpid_of_each_type
// hunks: 1
//
// L2 sees what its page tables said before L1 changed them.

@@
identifier vcpu;
@@
- 	if (!enable_ept)
- 		kvm_mmu_free_guest_mode_roots(vcpu->kvm, &vcpu->arch.root_mmu);
