// SPDX-License-Identifier: GPL-2.0-only
// title: L1 is told the address of an earlier page fault of L2's
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: nested_event_test.l1.nested_paging.gets_the_page_faults_that_it_intercepts
//
// The address of a fault that L1 intercepts is not in CR2 yet: that is only written when
// a fault is delivered.

@@
statement S1, S2;
@@
 nested_svm_inject_exception_vmexit(...)
 {
 <...
 if (
- ex->has_payload
+ !ex->has_payload
 ) S1 else S2
 ...>
 }
