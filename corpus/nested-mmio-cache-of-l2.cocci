// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU's cached MMIO access is looked up by a gpa of L2
// fix: 9034e6e89553 "KVM: x86: fix use of L1 MMIO areas in nested guests"
// files: arch/x86/kvm/mmu/mmu.c arch/x86/kvm/x86.h
// kernels: 6.1
// hosts: amd intel
// shows: exit data
// hunks: 2
// caught-by: nested_mmio_test.l2.nested_paging.copies_between_gaps_and_ram
//
// With nested paging the address of a fault is a gpa of L2, but the MMIO access
// that a vCPU remembers is told by gva, or by a gpa of L1. Without the check for
// that, a page of L2's RAM whose number is a gap to L1 (or whose gva was one) is
// emulated, and the exit has whatever gpa is in the cache.

@@
expression vcpu;
@@
- if (mmu_is_nested(vcpu))
- 	return false;

@@
expression vcpu, gva;
@@
- vcpu->arch.mmio_gva = mmu_is_nested(vcpu) ? 0 : gva & PAGE_MASK;
+ vcpu->arch.mmio_gva = gva & PAGE_MASK;
