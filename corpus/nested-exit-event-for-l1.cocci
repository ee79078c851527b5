// SPDX-License-Identifier: GPL-2.0-only
// title: an exception that an exit to L1 has cut short is delivered to L1
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data exit
// hunks: 1
// caught-by: nested_event_test.own.ud_nested_paging.is_told_or_delivered
//
// KVM keeps what it could not deliver, to do so at the next entry. That is L1's if L2's
// delivery has ended in an exit to L1, which has been told of the event.

@@
@@
 nested_svm_vmexit(...)
 {
 ...
- kvm_clear_exception_queue(vcpu);
 ...
 }
