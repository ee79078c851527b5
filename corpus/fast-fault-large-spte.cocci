// SPDX-License-Identifier: GPL-2.0-only
// title: the fast page fault makes a large page writable while its slot is logged
// fix: c126d94f2c90 "KVM: MMU: lazily drop large spte"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.eager_page_split=0
// params: kvm.tdp_mmu=0
// shows: data stats
// hunks: 1
// caught-by: dirty_log_test.backing.thp.splits_logs_and_collapses
//
// Large pages that are not split eagerly are write-protected and split at the first
// write. If the fast path makes them writable again instead, only the page that
// faulted is logged, and writes to the 511 others are not.

@@
identifier sp, fault;
@@
- if (sp->role.level > PG_LEVEL_4K && kvm_slot_dirty_track_enabled(fault->slot))
-	break;
