// SPDX-License-Identifier: GPL-2.0-only
// title: an MMIO SPTE takes the place of a mapping that stays in the reverse map
// fix: aad885e77496 "KVM: x86/mmu: Drop/zap existing present SPTE even when creating an MMIO SPTE"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: stats log panic
// caught-by: host_edits_rmap_test.entry.of_4k.for_an_l2_is_turned_into_another
// hunks: 1
//
// The VMM has turned an entry that mapped a page into one that maps a gap, and KVM,
// which was not told, still has the page mapped. The MMIO SPTE is written over that,
// and the reverse map of the page goes on pointing to it.

@@
@@
 mmu_set_spte(...)
 {
 ...
+	if (is_noslot_pfn(pfn)) {
+		mark_mmio_spte(vcpu, sptep, gfn, pte_access);
+		return RET_PF_EMULATE;
+	}
 if (is_shadow_present_pte(*sptep)) { ... }
 ...
 }
