// SPDX-License-Identifier: GPL-2.0-only
// title: the eventfds of Hyper-V connections are not given back
// fix: never merged
// files: arch/x86/kvm/hyperv.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.paravirt.the_host_stays_as_it_was
// hunks: 1
//
// A VM that is gone holds what KVM_HYPERV_EVENTFD gave it.

@@
expression hv, eventfd, i;
iterator name idr_for_each_entry;
@@
 kvm_hv_destroy_vm(...)
 {
 <...
- idr_for_each_entry(&hv->conn_to_evt, eventfd, i)
- 	eventfd_ctx_put(eventfd);
+ (void)eventfd, (void)i;
 ...>
 }
