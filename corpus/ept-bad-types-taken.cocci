// SPDX-License-Identifier: GPL-2.0-only
// title: memory types and rights that EPT does not have are taken
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_rights_test.kvm.ept_misconfigurations_are_l1s
// hunks: 1
//
// L1 hears nothing of its mistake, or of an EPT violation instead.

@@
@@
- rsvd_check->bad_mt_xwr = bad_mt_xwr;
+ rsvd_check->bad_mt_xwr = 0;
