// SPDX-License-Identifier: GPL-2.0-only
// title: two vCPUs may have one id
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: vcpu_create_test.kvm.ids_have_a_limit
// hunks: 1
//
// Nobody looks for a vCPU that has the id already.

@@
identifier id;
@@
 kvm_vm_ioctl_create_vcpu(...)
 {
 <...
- if (kvm_get_vcpu_by_id(kvm, id))
+ if (0)
 { ... }
 ...>
 }
