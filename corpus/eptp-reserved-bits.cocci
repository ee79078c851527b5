// SPDX-License-Identifier: GPL-2.0-only
// title: reserved bits of an EPTP are not looked at
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.operands_that_are_none_are_refused
// hunks: 1
//
// Bits 7 to 11 must be 0, for a VM entry, INVEPT and VMFUNC.

@@
identifier vcpu, new_eptp;
@@
- if (CC(kvm_vcpu_is_illegal_gpa(vcpu, new_eptp) || ((new_eptp >> 7) & 0x1f)))
+ if (CC(kvm_vcpu_is_illegal_gpa(vcpu, new_eptp)))
  	return false;
