// SPDX-License-Identifier: GPL-2.0-only
// title: a slot that is moved leaves its large-page and rmap arrays behind
// fix: "KVM: x86: Free arrays for old memslot when moving memslot's base gfn"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: memslot_delete_test.backing.anonymous.moved_slot_leaves_a_gap
//
// A moved slot gets new arrays, and nobody frees the old ones: with shadow paging that
// is 8 bytes a page and move, for good.

@@
identifier kvm, old;
@@
kvm_arch_commit_memory_region(struct kvm *kvm, struct kvm_memory_slot *old, ...)
{
...
- if (change == KVM_MR_MOVE)
-	kvm_arch_free_memslot(kvm, old);
}
