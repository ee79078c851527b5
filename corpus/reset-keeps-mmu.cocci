// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that is reset keeps its roots and the format of its page tables
// fix: 0aa1837533e5 "KVM: x86: Properly reset MMU context at vCPU RESET/INIT"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: exit data
// caught-by: vcpu_reset_test.vcpu.of_an_ap.reset_forgets_its_page_tables
// hunks: 1
//
// INIT turns paging off without a word to the MMU. With shadow paging the vCPU goes on
// with what its old CR3 maps; with TDP it is KVM's emulator that takes addresses of
// real mode for those of long mode.

@@
identifier vcpu;
@@
  void kvm_vcpu_reset(struct kvm_vcpu *vcpu, ...)
  {
  <...
- kvm_mmu_reset_context(vcpu);
  ...>
  }
