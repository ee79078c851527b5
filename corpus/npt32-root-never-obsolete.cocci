// SPDX-License-Identifier: GPL-2.0-only
// title: a root that is no shadow page is never obsolete
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: panic
// hunks: 1
// caught-by: nested_modes_test.l1.32bit.has_an_l2_whose_memory_goes
//
// The vCPU goes on with roots that were zapped with a memslot.
@@
identifier kvm, sp;
@@
- !sp || is_obsolete_sp(kvm, sp)
+ sp && is_obsolete_sp(kvm, sp)
