// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that could not be created counts
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// hunks: 1
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
//
// A vCPU that cannot be created, because there is no fd for it, or because its id is
// taken, still counts as created. The VM can then have no irqchip and one vCPU less.

@@
@@
 kvm_vm_ioctl_create_vcpu(...)
 {
 <...
- kvm->created_vcpus--;
 ...>
 }
