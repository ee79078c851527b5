// SPDX-License-Identifier: GPL-2.0-only
// title: leaves of a removed table are not accounted for
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats data
// hunks: 1
// caught-by: vm_pieces_test.held.mmio.fds_received_over_a_socket
//
// Where a subtree is removed, each of its leaves is to be counted out. This forgets
// the statistics: pages_4k stays where it was.

@@
@@
 handle_removed_pt(...)
 {
 <...
- handle_changed_spte(kvm, kvm_mmu_page_as_id(sp), gfn, old_spte, REMOVED_SPTE, level, shared);
+ if (level > PG_LEVEL_4K)
+	handle_changed_spte(kvm, kvm_mmu_page_as_id(sp), gfn, old_spte, REMOVED_SPTE, level, shared);
 ...>
 }
