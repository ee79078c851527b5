// SPDX-License-Identifier: GPL-2.0-only
// title: SMEP and SMAP that a guest has set before paging stay off with paging
// fix: never merged; the other half of what c53bbe2145f5 did
// files: arch/x86/kvm/svm/svm.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: access_test.early.smep.counts_once_paging_is_on
//
// KVM masks these bits while the guest has no page tables, and must look at CR4 again
// when CR0.PG is written.

@@
identifier vcpu, old_paging;
@@
svm_set_cr0(struct kvm_vcpu *vcpu, ...)
{
<...
- if (old_paging != is_paging(vcpu))
-	svm_set_cr4(vcpu, kvm_read_cr4(vcpu));
...>
}
