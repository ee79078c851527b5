// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages of an L2 stay when the table above them is dropped
// fix: 2de4085cccea "KVM: x86/MMU: Recursively zap nested TDP SPs when zapping last/only parent"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 1
// caught-by: nested_mmu_test.kvm.tables_go_with_the_table_above
//
// L1 hardly uses them again; they add up until the limit of shadow pages is reached.
@@
identifier invalid_list;
@@
- tdp_enabled && invalid_list &&
+ 0 && tdp_enabled && invalid_list &&
  child->role.guest_mode && !child->root_count && !child->parent_ptes.val
