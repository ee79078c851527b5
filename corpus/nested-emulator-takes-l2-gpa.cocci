// SPDX-License-Identifier: GPL-2.0-only
// title: the emulator takes the gpa of L2's fault for one of L1
// fix: 618232e2196a "KVM: x86: Avoid guest page table walk when gpa_available is set"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// shows: exit data
// hunks: 1
// caught-by: nested_mmio_test.l2.nested_paging.gaps_exit_through_all_generations
//
// On a fault of nested paging KVM knows the gpa already and need not walk the
// guest's page tables to emulate an MMIO access. In L2 that gpa is one of L2, which
// only L1's tables lead to memory: used as it is, the exit has the wrong gpa, or
// there is none as the number is RAM.

@@
expression vcpu;
@@
- if (vcpu->arch.mmu->root_role.direct) {
+ if (true) {
  	ctxt->gpa_available = true;
  	...
  }
