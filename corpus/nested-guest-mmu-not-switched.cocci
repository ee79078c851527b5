// SPDX-License-Identifier: GPL-2.0-only
// title: L2 with nested paging runs on the MMU of L1
// fix: 3cf85f9f6bd7 "KVM: x86: nSVM: fix switch to guest mmu"
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// shows: log exit
// hunks: 2
// caught-by: nested_mmio_test.l2.nested_paging.gaps_exit_through_all_generations
//
// When MMUs were split into one for L1 and one for L1's nested page tables, nested
// SVM kept the first in use while it initialized the second: L2's gpas are taken
// for L1's.

@@
expression vcpu;
@@
- vcpu->arch.mmu = &vcpu->arch.guest_mmu;

@@
expression vcpu;
@@
- vcpu->arch.mmu = &vcpu->arch.root_mmu;
