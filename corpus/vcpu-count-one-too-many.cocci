// SPDX-License-Identifier: GPL-2.0-only
// title: a VM may have one vCPU more than there may be
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: vcpu_create_test.kvm.as_many_as_there_may_be
// hunks: 1
//
// What has room for the most vCPUs that there may be is one short.

@@
expression kvm;
@@
- kvm->created_vcpus >= kvm->max_vcpus
+ kvm->created_vcpus > kvm->max_vcpus
