// SPDX-License-Identifier: GPL-2.0-only
// title: an exit qualification has the rights of the last entry only
// fix: never merged
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.rights_are_those_of_all_levels
// hunks: 1
//
// Bits 3 to 5 are what the entries of all levels give.

@@
identifier vcpu, pte_access;
@@
- vcpu->arch.exit_qualification |= (pte_access & VMX_EPT_RWX_MASK) <<
+ vcpu->arch.exit_qualification |= (pte & VMX_EPT_RWX_MASK) <<
  					 EPT_VIOLATION_RWX_SHIFT;
