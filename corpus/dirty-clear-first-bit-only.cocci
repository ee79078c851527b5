// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_CLEAR_DIRTY_LOG write-protects from the first bit of a mask for 64 pages less
// fix: 26c0e5d58dc7 "KVM: x86/mmu: Re-check ... clear_dirty_pt_masked" [family]
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// The TDP MMU walks from the first page of a mask to the 64th after the group's
// start. One page less, and the last one of each group of 64 stays writable.

@@
identifier gfn;
@@
- gfn + BITS_PER_LONG
+ gfn + BITS_PER_LONG - 1
