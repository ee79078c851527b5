// SPDX-License-Identifier: GPL-2.0-only
// title: a device that got no fd is not freed
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
//
// A device without an fd is not destroyed: there is nobody left who could.

@@
@@
 kvm_ioctl_create_device(...)
 {
 <...
- if (ops->destroy)
-	ops->destroy(dev);
 ...>
 }
