// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that got no fd holds its VM
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
//
// A vCPU takes a reference to its VM before it gets its fd. When there is no fd the
// reference is to be given back, or the VM and its module stay for ever.

@@
@@
 kvm_vm_ioctl_create_vcpu(...)
 {
 <...
- kvm_put_kvm_no_destroy(kvm);
 ...>
 }
