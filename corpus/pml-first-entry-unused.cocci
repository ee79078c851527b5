// SPDX-License-Identifier: GPL-2.0-only
// title: a page-modification log of L1 is full one entry too early
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.dirty_bits_are_logged_for_l1
// hunks: 1
//
// Entry 0 is the last one to be written, and index 0xffff means that it was.

@@
identifier vmcs12, vmx;
@@
- if (vmcs12->guest_pml_index >= PML_ENTITY_NUM) {
+ if ((u16)(vmcs12->guest_pml_index - 1) >= PML_ENTITY_NUM - 1) {
  	vmx->nested.pml_full = true;
  	return 1;
  }
