// SPDX-License-Identifier: GPL-2.0-only
// title: a VM's statistics fd does not hold the VM
// fix: eed3013faa40 "KVM: Grab a reference to KVM for VM and vCPU stats file descriptors"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data log
// hunks: 2
// caught-by: vm_pieces_test.held.mmio.fds_received_over_a_socket
//
// A statistics fd does not hold its VM. When it is the last, it reads from memory that
// has been freed.

@@
@@
 kvm_vm_ioctl_get_stats_fd(...)
 {
 <...
- kvm_get_kvm(kvm);
 ...>
 }

@@
@@
 kvm_vm_stats_release(...)
 {
 <...
- kvm_put_kvm(kvm);
 ...>
 }
