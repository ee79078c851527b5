// SPDX-License-Identifier: GPL-2.0-only
// title: an MMIO SPTE is written over one that maps RAM
// fix: aad885e77496 "KVM: x86/mmu: Drop/zap existing present SPTE even when creating an MMIO SPTE"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats log
// hunks: 1
// caught-by: host_edits_test.entry.pte.of_any_kind_becomes_another
//
// No write of the guest can turn a mapped page into a gap without KVM's knowledge, but
// one of a VMM can: then the rmap keeps an entry that does not map the page any more.

@@
identifier vcpu, sptep, gfn, pfn, pte_access, slot, fault;
expression E;
@@
  static int mmu_set_spte(struct kvm_vcpu *vcpu, struct kvm_memory_slot *slot,
			  u64 *sptep, unsigned int pte_access, gfn_t gfn,
			  kvm_pfn_t pfn, struct kvm_page_fault *fault)
  {
  ...
+ if (is_noslot_pfn(pfn)) {
+	vcpu->stat.pf_mmio_spte_created++;
+	mark_mmio_spte(vcpu, sptep, gfn, pte_access);
+	return RET_PF_EMULATE;
+ }
  if (is_shadow_present_pte(*sptep)) { ... }
  ...
  }
