// SPDX-License-Identifier: GPL-2.0-only
// title: an interrupt route that is refused is not freed
// fix: never merged
// files: virt/kvm/irqchip.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
// hunks: 1
//
// The entry that is wrong is in no table yet when the table is freed.

@@
expression e;
@@
 kvm_set_irq_routing(...)
 {
 <...
- kfree(e);
 ...>
 }
