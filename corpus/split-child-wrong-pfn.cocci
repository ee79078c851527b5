// SPDX-License-Identifier: GPL-2.0-only
// title: the 2M pages of a split 1G page are 4K apart
// fix: never merged; what a3fe5dbda0a4 "KVM: x86/mmu: Split huge pages mapped by the TDP MMU when dirty logging is enabled" must get right
// files: arch/x86/kvm/mmu/spte.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: log data panic
// hunks: 1
// caught-by: dirty_log_test.backing.hugetlb_1g.splits_logs_and_collapses
//
// Splitting eagerly makes 512 SPTEs of one, each with the offset of its part. Taken
// as 4K pages when they are 2M, all parts of a 1G page but the first are wrong.

@@
typedef u64;
u64 child_spte;
identifier index;
@@
- child_spte |= (index * KVM_PAGES_PER_HPAGE(...)) << PAGE_SHIFT;
+ child_spte |= (u64)index << PAGE_SHIFT;
