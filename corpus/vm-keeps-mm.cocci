// SPDX-License-Identifier: GPL-2.0-only
// title: a VM that is gone holds its VMM's mm
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.mappings.the_host_stays_as_it_was
//
// A VM holds the mm of its VMM, which it was created with. This forgets to give it back
// when the VM is destroyed: an mm_struct for every VM that there ever was.

@@
@@
 kvm_destroy_vm(...)
 {
 <...
- mmdrop(mm);
 ...>
 }
