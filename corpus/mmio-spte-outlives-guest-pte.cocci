// SPDX-License-Identifier: GPL-2.0-only
// title: an MMIO SPTE stays when the guest's PTE is changed
// fix: never merged; ce88decffd17 "KVM: MMU: mmio page fault support" brought the check
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_paging_test.kvm.all_edits_count_after_a_flush
//
// Since gaps have SPTEs, the SPTE of a guest's PTE that is written to must be cleared
// if it is one of those, though it is not present. Forgotten, the gva goes on being MMIO
// at its old gpa when the guest has put RAM, or another gap, there.

@@
identifier sp, spte, pte;
@@
mmu_page_zap_pte(..., struct kvm_mmu_page *sp, u64 *spte, ...)
{
...
if (is_shadow_present_pte(pte)) { ... }
- else if (is_mmio_spte(pte)) {
-	mmu_spte_clear_no_track(spte);
- }
...
}
