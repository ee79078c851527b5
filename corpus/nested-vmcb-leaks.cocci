// SPDX-License-Identifier: GPL-2.0-only
// title: the VMCB for a vCPU's L2 is not freed
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.l2.the_host_stays_as_it_was
// hunks: 1
//
// It is allocated when L1 turns on SVM; a page stays for each vCPU that has run an L2.

@@
expression svm;
@@
 svm_free_nested(...)
 {
 <...
- __free_page(virt_to_page(svm->nested.vmcb02.ptr));
 ...>
 }
