// SPDX-License-Identifier: GPL-2.0-only
// title: the virtual-APIC page of an L2 is not in the dirty log
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.tpr_of_l2_is_in_the_dirty_log
// hunks: 1
//
// The CPU writes to it while L2 runs, past KVM and its page tables.

@@
identifier vcpu, vmcs12, gfn;
@@
  gfn = vmcs12->virtual_apic_page_addr >> PAGE_SHIFT;
- kvm_vcpu_mark_page_dirty(vcpu, gfn);
