// SPDX-License-Identifier: GPL-2.0-only
// title: mappings outlive the address space
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// shows: stats
// hunks: 1
// caught-by: vm_pieces_test.held.mmio.fds_received_over_a_socket
//
// When the address space of a VMM goes, KVM must drop all it maps of it at once: the
// pages are freed next. Here it does nothing, and what is left points to pages of
// somebody else until the last fd of the VM is closed.

@@
@@
 kvm_mmu_notifier_release(...)
 {
 <...
- kvm_flush_shadow_all(kvm);
 ...>
 }
