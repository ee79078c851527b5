// SPDX-License-Identifier: GPL-2.0-only
// title: the map of MSRs of a vCPU that was in L2 is not freed
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.l2.the_host_stays_as_it_was
// hunks: 1
//
// What a vCPU gets when its guest first turns EFER.SVME on, KVM has to give back when
// that is turned off, or the vCPU goes. Two pages of a map are left behind; nobody
// accounts for these, so that only many VMs show it.

@@
identifier svm;
@@
 void svm_free_nested(struct vcpu_svm *svm)
 {
 ...
-	svm_vcpu_free_msrpm(svm->nested.msrpm);
 ...
 }
