// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_IRQFD that fails keeps the eventfd
// files: virt/kvm/eventfd.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
//
// KVM_IRQFD with an eventfd that is in use is EBUSY. The reference to the eventfd that
// was taken until then is not put.

@@
@@
 kvm_irqfd_assign(...)
 {
 <...
- if (eventfd && !IS_ERR(eventfd))
-	eventfd_ctx_put(eventfd);
 ...>
 }
