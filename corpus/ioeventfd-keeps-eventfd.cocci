// SPDX-License-Identifier: GPL-2.0-only
// title: an ioeventfd that is gone holds its eventfd
// files: virt/kvm/eventfd.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.devices.the_host_stays_as_it_was
//
// When an ioeventfd goes, explicitly or with its VM, the eventfd is to be put.

@@
@@
 ioeventfd_release(...)
 {
 <...
- eventfd_ctx_put(p->eventfd);
 ...>
 }
