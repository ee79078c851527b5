// SPDX-License-Identifier: GPL-2.0-only
// title: an ioeventfd of any length is only half deassigned
// fix: eefd6b06b17c "kvm: fix double free for fast mmio eventfd"
// files: virt/kvm/eventfd.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// hunks: 1
// caught-by: mmio_bus_test.kvm.ioeventfd_of_any_length_takes_all_writes
//
// It is on two buses, the second being for CPUs that say no more of an access than its
// gpa. When only one of them is left, writes to the gap go on signalling there, and the
// same place cannot be assigned again.

@@
identifier args, kvm;
@@
kvm_deassign_ioeventfd(struct kvm *kvm, struct kvm_ioeventfd *args)
{
...
- if (!args->len && bus_idx == KVM_MMIO_BUS)
-	kvm_deassign_ioeventfd_idx(kvm, KVM_FAST_MMIO_BUS, args);
...
}
