// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages of L1's nested tables outlive the slot they were made from
// fix: never merged; a shortcut that is right while there is no L2
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// params: defaults
// shows: data log
// hunks: 1
// caught-by: memslot_zap_test.tables.own_nested_paging.go_with_their_slot
//
// With the TDP MMU only an L2 has shadow pages. Told to leave other slots' translations
// alone, KVM deletes a slot with L1's nested tables in it, and keeps what it has made
// of them: L2 goes on by tables that are gone, accounted for in arrays that are free.

@@
identifier kvm;
@@
kvm_mmu_zap_memslot_pages_and_flush(struct kvm *kvm, ...)
{
...
- if (list_empty(&kvm->arch.active_mmu_pages))
+ if (tdp_mmu_enabled)
	goto out_flush;
...
}
