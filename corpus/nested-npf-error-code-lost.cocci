// SPDX-License-Identifier: GPL-2.0-only
// title: L1 gets the error code of the host's nested page fault
// fix: 5e3525195196 "KVM: nSVM: propagate the NPF EXITINFO to the guest"
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// shows: data
// hunks: 1
// caught-by: nested_rights_test.l2.nested_paging.faults_on_reserved_bits
//
// What faulted in L0's tables says nothing of L1's: when L1 has a page there that
// must not be written, and L0 has none, L1 hears of a page that is not present.

@@
expression vmcb, fault;
@@
- vmcb->control.exit_info_1 &= ~0xffffffffULL;
- vmcb->control.exit_info_1 |= fault->error_code;
