// SPDX-License-Identifier: GPL-2.0-only
// title: a fault maps into a root that has become obsolete meanwhile
// fix: a955cad84cda "KVM: x86/mmu: Retry page fault if root is invalidated by memslot update"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// params: kvm_amd.npt=0
// shows: stats
// hunks: 1
// caught-by: userfault_test.sleeping_fault.roots.is_tried_again
//
// A fault that sleeps for the host's page does not see that all roots were dropped
// meanwhile. It maps the page for nobody, in a root that is being torn down.

@@
@@
  is_page_fault_stale(...)
  {
  ...
- if (sp && is_obsolete_sp(vcpu->kvm, sp))
- 	return true;
  ...
  }
