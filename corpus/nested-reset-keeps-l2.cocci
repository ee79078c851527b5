// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that is reset in L2 stays there
// fix: ed129ec9057f "KVM: x86: forcibly leave nested mode on vCPU reset"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd
// shows: log
// hunks: 1
// caught-by: nested_state_test.l2.nested_paging.shuts_the_vcpu_down
//
// On SVM a triple fault of L2 that L1 does not intercept resets the vCPU. Its
// EFER.SVME is gone then, but it goes on as a vCPU in L2.

@@
expression vcpu;
@@
- if (is_guest_mode(vcpu))
- 	kvm_leave_nested(vcpu);
