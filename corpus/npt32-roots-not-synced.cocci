// SPDX-License-Identifier: GPL-2.0-only
// title: the four roots of PAE and 32-bit paging are not synced
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: nested_modes_test.kvm.l1_goes_between_modes
//
// What was written to the tables below, while they could be written, is not seen.
@@
expression root;
identifier sp, vcpu;
@@
  sp = to_shadow_page(root);
- mmu_sync_children(vcpu, sp, true);
