// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that is reset by a shutdown in SMM stays there
// fix: "KVM: SVM: Forcibly leave SMM mode on SHUTDOWN interception"
// files: arch/x86/kvm/svm/svm.c
// kernels: 6.1
// hosts: amd
// shows: log
// caught-by: vcpu_reset_test.vcpu.by_a_shutdown_in_smm.reset_forgets_its_page_tables
// hunks: 1
//
// INIT waits for the end of SMM, but the reset that SVM's shutdown is does not. The
// flag goes, and the MMU, whose roots are those of SMM's memslots, is not told.

@@
expression vcpu;
@@
- if (is_smm(vcpu))
- 	kvm_smm_changed(vcpu, false);
  kvm_vcpu_reset(vcpu, true);
