// SPDX-License-Identifier: GPL-2.0-only
// title: an L2 with another VPID than before is not flushed
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// params: kvm_intel.ept=0
// shows: data
// caught-by: nested_ept_test.kvm.invvpid_of_each_type
// hunks: 1
//
// KVM has one VPID for all of L1's, and takes a new one for one that it has flushed.

@@
identifier vcpu, vmx, vmcs12;
@@
  vmx->nested.last_vpid = vmcs12->virtual_processor_id;
- kvm_make_request(KVM_REQ_TLB_FLUSH_GUEST, vcpu);
