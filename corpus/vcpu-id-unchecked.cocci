// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU may have any id
// fix: 338c7dbadd26 "KVM: Improve create VCPU parameter (CVE-2013-4587)"
// files: virt/kvm/kvm_main.c arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: vcpu_create_test.kvm.ids_have_a_limit
// hunks: 2
//
// The id is an index into the map of the local APICs, and goes beyond it.

@@
identifier id;
@@
 kvm_vm_ioctl_create_vcpu(...)
 {
 <...
- if (id >= KVM_MAX_VCPU_IDS)
- 	return -EINVAL;
 ...>
 }

@@
identifier id;
@@
 kvm_arch_vcpu_precreate(...)
 {
 <...
- if (id >= kvm->arch.max_vcpu_ids)
- 	return -EINVAL;
 ...>
 }
