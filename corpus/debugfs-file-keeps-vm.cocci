// SPDX-License-Identifier: GPL-2.0-only
// title: a file of a VM in debugfs keeps the VM after it is closed
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_debugfs_test.kvm.files_are_the_binary_statistics
// hunks: 1
//
// The reference that the open file has is not given back.

@@
@@
 kvm_debugfs_release(...)
 {
 <...
- kvm_put_kvm(...);
 ...>
 }
