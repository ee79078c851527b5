// SPDX-License-Identifier: GPL-2.0-only
// title: a guest without 1G pages in its CPUID may use them
// fix: never merged; what is reserved in a guest's page tables goes by its own CPUID
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: maxphyaddr_test.kvm.faults_on_large_pages_that_there_are_none
//
// With shadow paging KVM walks the guest's page tables, and finds a 1G page where the
// guest's CPU has none and must fault on a reserved bit.

@@
identifier vcpu;
@@
  guest_can_use_gbpages(struct kvm_vcpu *vcpu)
  {
  return tdp_enabled ? ... :
- guest_cpuid_has(vcpu, X86_FEATURE_GBPAGES);
+ boot_cpu_has(X86_FEATURE_GBPAGES);
  }
