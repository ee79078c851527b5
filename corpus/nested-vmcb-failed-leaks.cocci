// SPDX-License-Identifier: GPL-2.0-only
// title: the VMCB for L2 is not freed when there is no memory for its map of MSRs
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: leak
// hunks: 1
// caught-by: memory_limit_test.kvm.vcpus_get_ready_for_an_l2_or_not
//
// EFER.SVME is refused for want of memory, and half of what it takes stays.

@@
@@
- __free_page(vmcb02_page);
