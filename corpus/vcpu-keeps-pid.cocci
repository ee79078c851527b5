// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that is gone holds a pid
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.mappings.the_host_stays_as_it_was
//
// A vCPU remembers the pid of the thread that ran it last, with a reference, which is
// to be put when the vCPU is destroyed.

@@
@@
 kvm_vcpu_destroy(...)
 {
 <...
- put_pid(rcu_dereference_protected(vcpu->pid, 1));
 ...>
 }
