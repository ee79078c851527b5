// SPDX-License-Identifier: GPL-2.0-only
// title: large pages do not come back when dirty logging ends
// fix: never merged; what 3ea3b7fa9af0 "kvm: mmu: lazy collapse small sptes into large sptes" has brought
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// shows: stats
// hunks: 1
// caught-by: dirty_log_test.backing.thp.splits_logs_and_collapses
//
// A migration that is called off leaves the guest with 4K pages for the rest of its
// life: slow, and otherwise right.

@@
expression kvm, new;
@@
- kvm_mmu_zap_collapsible_sptes(kvm, new);
+ ;
