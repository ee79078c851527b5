// SPDX-License-Identifier: GPL-2.0-only
// title: files of a VM that has no directory in debugfs go elsewhere
// fix: a44a4cc1c969 "KVM: Don't create VM debugfs files outside of the VM directory"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak panic
// hunks: 1
// caught-by: vm_pieces_test.kvm.two_vms_of_one_name
//
// A VM whose name another one has already gets no directory. Its vCPUs' files are then
// made in the root of debugfs, where nobody removes them.

@@
@@
- kvm->debugfs_dentry = ERR_PTR(-ENOENT);
+ kvm->debugfs_dentry = NULL;
