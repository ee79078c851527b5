// SPDX-License-Identifier: GPL-2.0-only
// title: SMEP and SMAP of a guest without paging are those of KVM's page tables
// fix: c53bbe2145f5 "KVM: x86: SVM: don't passthrough SMAP/SMEP/PKE bits in !NPT && !gCR0.PG case"
// files: arch/x86/kvm/svm/svm.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: hang data
// hunks: 1
// caught-by: access_test.early.smep.counts_once_paging_is_on
//
// Without nested paging the CPU has KVM's page tables when the guest has none. All of
// the guest's memory is a user's in them, and the bits must be off until the guest pages.

@@
identifier vcpu;
@@
svm_set_cr4(struct kvm_vcpu *vcpu, ...)
{
<...
- if (!is_paging(vcpu))
-	cr4 &= ~(X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_PKE);
...>
}
