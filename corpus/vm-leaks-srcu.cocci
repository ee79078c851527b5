// SPDX-License-Identifier: GPL-2.0-only
// title: a VM's SRCU is not cleaned up
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.mappings.the_host_stays_as_it_was
//
// SRCU has per-CPU memory for each VM, which goes unless it is cleaned up.

@@
@@
 kvm_destroy_vm(...)
 {
 <...
- cleanup_srcu_struct(&kvm->irq_srcu);
 ...>
 }
