// SPDX-License-Identifier: GPL-2.0-only
// title: a VM that could not be created holds an mm
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
//
// KVM_CREATE_VM of a type that there is not fails when it has taken a reference to
// the caller's mm, which must be given back on the way out.

@@
@@
 kvm_create_vm(...)
 {
 <...
- mmdrop(current->mm);
 ...>
 }
