// SPDX-License-Identifier: GPL-2.0-only
// title: a CR3 write that flushes a PCID leaves the earlier roots of that PCID
// fix: 21823fbda552 "KVM: x86: Invalidate all PGDs for the current PCID on MOV CR3 w/ flush"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: intel
// params: kvm_intel.ept=0
// shows: data
// caught-by: guest_roots_test.kvm.pcid_flush_reaches_earlier_roots
// hunks: 1
//
// The guest then goes back to an earlier CR3 of the same PCID, without a flush, and
// sees what its tables said before.

@@
identifier vcpu, pcid, mmu, roots;
@@
  void kvm_invalidate_pcid(struct kvm_vcpu *vcpu, unsigned long pcid)
  {
  ...
- kvm_mmu_free_roots(vcpu->kvm, mmu, roots);
  }
