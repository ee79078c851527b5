// SPDX-License-Identifier: GPL-2.0-only
// title: an entry of L1's EPT that can only be executed is taken for a mistake
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.rights_are_those_of_all_levels
// hunks: 1
//
// KVM has said in IA32_VMX_EPT_VPID_CAP that it takes them.

@@
identifier vcpu, execonly;
@@
- kvm_init_shadow_ept_mmu(vcpu, execonly,
+ kvm_init_shadow_ept_mmu(vcpu, false,
  	...);
