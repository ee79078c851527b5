// SPDX-License-Identifier: GPL-2.0-only
// title: L1 does not get a PDPTE that its L2 has loaded
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.l2_with_pae_keeps_its_pdptes
// hunks: 1
//
// L2 goes on with the one that L1 knows.

@@
@@
- vmcs12->guest_pdptr2 = vmcs_read64(GUEST_PDPTR2);
