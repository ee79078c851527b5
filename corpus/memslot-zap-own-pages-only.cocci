// SPDX-License-Identifier: GPL-2.0-only
// title: deleting a slot zaps what maps the slot, and nothing else
// fix: d012a06ab1d2 "Revert "KVM: x86/mmu: Zap only the relevant pages when removing a memslot""
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: stats
// hunks: 1
// caught-by: memslot_zap_test.zap.all_4k.deleted_slot_leaves_the_other_alone
//
// Only the rmaps of the slot and the shadow pages of page tables in it are zapped, as in
// Linux 5.3-rc. What that left stale, with passed-through GPUs, was never found out;
// since then all is dropped.

@@
identifier kvm, slot;
@@
kvm_mmu_invalidate_zap_pages_in_memslot(struct kvm *kvm, struct kvm_memory_slot *slot, ...)
{
+	struct kvm_mmu_page *sp;
+	struct hlist_node *n;
+	struct hlist_node *next;
+	LIST_HEAD(invalid_list);
+	unsigned long i;
+	bool flush;
+
+	write_lock(&kvm->mmu_lock);
+	flush = slot_handle_level(kvm, slot, __kvm_zap_rmap, PG_LEVEL_4K,
+				  KVM_MAX_HUGEPAGE_LEVEL, false);
+	for (i = 0; i < slot->npages; i++) {
+		n = kvm->arch.mmu_page_hash[kvm_page_table_hashfn(slot->base_gfn + i)].first;
+		for (; n; n = next) {
+			next = n->next;
+			sp = hlist_entry(n, struct kvm_mmu_page, hash_link);
+			if (sp->gfn == slot->base_gfn + i && !is_obsolete_sp(kvm, sp))
+				kvm_mmu_prepare_zap_page(kvm, sp, &invalid_list);
+		}
+	}
+	kvm_mmu_remote_flush_or_zap(kvm, &invalid_list, flush);
+	write_unlock(&kvm->mmu_lock);
-	kvm_mmu_zap_all_fast(kvm);
}
