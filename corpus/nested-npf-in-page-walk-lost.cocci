// SPDX-License-Identifier: GPL-2.0-only
// title: L1 is not told that L2's nested page fault was on a page table
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm.tdp_mmu=0
// shows: data
// hunks: 1
// caught-by: nested_rights_test.kvm.fault_on_a_table_of_l2_is_told_from_others
//
// Two bits above the error code say what the nested page fault was on: what L2 has
// accessed, or one of its page tables. Each such fault is said to be of the first kind.

@@
expression vmcb;
@@
nested_svm_inject_npf_exit(...)
{
...
- vmcb->control.exit_info_1 &= ~0xffffffffULL;
+ vmcb->control.exit_info_1 = 1ULL << 32;
...
}
