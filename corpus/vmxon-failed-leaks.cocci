// SPDX-License-Identifier: GPL-2.0-only
// title: a VMXON that gets no memory keeps the cached VMCS12
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: leak
// caught-by: memory_limit_test.kvm.vcpus_get_ready_for_an_l2_or_not
// hunks: 1

@@
identifier vcpu, vmx;
@@
  static int enter_vmx_operation(struct kvm_vcpu *vcpu)
  {
  <...
- kfree(vmx->nested.cached_vmcs12);
  ...>
  }
