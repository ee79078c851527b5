// SPDX-License-Identifier: GPL-2.0-only
// title: VMRUN keeps L1's VMCB mapped
// fix: never merged; what 8c5fbf1a7231 "KVM/nSVM: Use the new mapping API for mapping guest memory" must get right
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// shows: leak
// hunks: 1
// caught-by: nested_memslot_test.kvm.accessed_and_dirty_bits_of_l1s_tables
//
// Each VMRUN takes a reference to the page of the VMCB and does not give it back. The
// page stays in use when the VM and its memory are gone.

@@
identifier vcpu, map;
@@
  nested_svm_vmrun(struct kvm_vcpu *vcpu)
  {
  ...
- kvm_vcpu_unmap(vcpu, &map, true);
  return ret;
  }
