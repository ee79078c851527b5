// SPDX-License-Identifier: GPL-2.0-only
// title: VMFUNC takes an EPTP that no entry would take
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.l2_switches_its_eptp_by_vmfunc
// hunks: 1
//
// L2 gets what L1 has not set up, in place of L1 a VM exit.

@@
identifier vcpu, vmcs12, new_eptp;
@@
- if (!nested_vmx_check_eptp(vcpu, new_eptp))
- 	return 1;
  ...
  vmcs12->ept_pointer = new_eptp;
