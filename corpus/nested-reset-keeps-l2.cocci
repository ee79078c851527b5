// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that is reset in L2 stays there
// fix: ed129ec9057f "KVM: x86: forcibly leave nested mode on vCPU reset"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd
// shows: exit log hang
// caught-by: vcpu_reset_test.l2.nested_paging.ends_with_an_init
// hunks: 1
//
// A reset takes EFER.SVME away; the vCPU goes on as one in L2 all the same.

@@
expression vcpu;
@@
- if (is_guest_mode(vcpu))
- 	kvm_leave_nested(vcpu);
