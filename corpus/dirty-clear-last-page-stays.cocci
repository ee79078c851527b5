// SPDX-License-Identifier: GPL-2.0-only
// title: the last page of each 64 is not write-protected again after it was logged
// fix: never merged; what a6a0b05da9f3 "kvm: x86/mmu: Support dirty logging for the TDP MMU" must get right
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// The TDP MMU walks from the first page of a mask to the 64th of its group. One page
// less, and the last one of each group stays writable: it is logged only once.

@@
identifier gfn;
@@
- gfn + BITS_PER_LONG
+ gfn + BITS_PER_LONG - 1
