// SPDX-License-Identifier: GPL-2.0-only
// title: L1 does not get the linear address of an EPT violation
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.rights_are_those_of_all_levels
// hunks: 1
//
// It is in the VMCS of L2, and is copied for L1 at each exit.

@@
@@
- vmcs12->guest_linear_address = vmcs_readl(GUEST_LINEAR_ADDRESS);
