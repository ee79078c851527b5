// SPDX-License-Identifier: GPL-2.0-only
// title: a page fault that KVM finds for L2 goes to L2, though L1 intercepts it
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
// The CPU sees to L1's intercepts for faults of its own. KVM has to when it walks L2's
// page tables, as it does for an instruction that it emulates.

@@
@@
 nested_svm_is_exception_vmexit(...)
 {
 ...
- return (svm->nested.ctl.intercepts[INTERCEPT_EXCEPTION] & BIT(vector));
+ return false;
 }
