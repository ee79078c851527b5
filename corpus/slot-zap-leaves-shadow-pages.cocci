// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages of guest page tables outlive the slot they were made from
// fix: aa8d1f48d353 "KVM: x86/mmu: Introduce a quirk to control memslot zap behavior" (which does it right)
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// params: kvm_amd.npt=0
// shows: panic
// hunks: 1
// caught-by: memslot_zap_test.zap.own_4k.deleted_slot_leaves_the_other_alone
//
// Told to leave other slots' translations alone, KVM zaps what maps the deleted slot. The
// shadow pages of page tables that were in it must go as well: they are accounted for
// in the slot's arrays, which are free by the time somebody zaps them.

@@
identifier kvm;
@@
kvm_mmu_zap_memslot_pages_and_flush(struct kvm *kvm, ...)
{
...
- if (list_empty(&kvm->arch.active_mmu_pages))
-	goto out_flush;
+ goto out_flush;
...
}
