// SPDX-License-Identifier: GPL-2.0-only
// title: a page-modification log of L1 that is full is no exit
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.dirty_bits_are_logged_for_l1
// hunks: 1
//
// Pages become dirty that L1 never hears of.

@@
identifier vmcs12, vmx;
@@
  if (vmcs12->guest_pml_index >= PML_ENTITY_NUM) {
- 	vmx->nested.pml_full = true;
- 	return 1;
+ 	return 0;
  }
