// SPDX-License-Identifier: GPL-2.0-only
// title: an open file of a VM in debugfs does not hold the VM
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak errno
// caught-by: vm_debugfs_test.kvm.open_file_holds_the_vm
// hunks: 2
//
// The VM that the file is about may be freed under it.

@@
expression kvm;
@@
 kvm_debugfs_open(...)
 {
 <...
- if (!kvm_get_kvm_safe(kvm))
- 	return -ENOENT;
 ...>
 }

@@
@@
 kvm_debugfs_release(...)
 {
 <...
- kvm_put_kvm(...);
 ...>
 }
