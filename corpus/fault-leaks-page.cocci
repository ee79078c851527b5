// SPDX-License-Identifier: GPL-2.0-only
// title: a page fault that is retried keeps its reference to the host's page
// fix: never merged; a reference that each fault must give back
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.mappings.the_host_stays_as_it_was
//
// Every page that the TDP MMU maps stays allocated after the VM has ended.

@@
identifier vcpu, orig_pfn;
@@
  if (is_tdp_mmu_fault) {
  ...
- kvm_release_pfn_clean(orig_pfn);
  return r;
  }
