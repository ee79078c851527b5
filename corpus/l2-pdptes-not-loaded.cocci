// SPDX-License-Identifier: GPL-2.0-only
// title: an L2 with PAE does not get the PDPTEs that L1 has written
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.l2_with_pae_keeps_its_pdptes
// hunks: 1
//
// With EPT they are in the VMCS that L1 has written.

@@
@@
- if (load_guest_pdptrs_vmcs12 && nested_cpu_has_ept(vmcs12) &&
-     is_pae_paging(vcpu)) {
- 	...
- }
