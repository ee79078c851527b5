// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU is put into SMM while it is in L2
// fix: f7e570780efc "KVM: x86: Forcibly leave nested virt when SMM state is toggled"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// shows: exit log
// hunks: 1
// caught-by: nested_state_test.l2.nested_paging.is_left_by_smm
//
// KVM_SET_VCPU_EVENTS turns SMM on or off with L2's state still loaded. L2 then
// runs with the address space of SMM, and VMX frees what is still in use.

@@
expression vcpu, on;
@@
- kvm_leave_nested(vcpu);
  kvm_smm_changed(vcpu, on);
