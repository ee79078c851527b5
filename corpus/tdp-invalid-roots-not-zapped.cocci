// SPDX-License-Identifier: GPL-2.0-only
// title: invalid roots are not zapped before a memslot is gone
// fix: 4c6654bd160d "KVM: x86/mmu: Tear down roots before kvm_mmu_zap_all_fast returns"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats leak log
// hunks: 1
// caught-by: memslot_delete_test.backing.anonymous.deleted_slot_is_a_gap
//
// A memslot that is deleted makes all roots invalid, which must be zapped before the
// ioctl returns: what their entries map belongs to nobody from then on. Here this is
// left to the last reference's end, which frees the root and forgets what is below.

@@
@@
 kvm_mmu_zap_all_fast(...)
 {
 <...
- if (is_tdp_mmu_enabled(kvm))
-	kvm_tdp_mmu_zap_invalidated_roots(kvm);
 ...>
 }
