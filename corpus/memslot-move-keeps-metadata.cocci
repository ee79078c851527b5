// SPDX-License-Identifier: GPL-2.0-only
// title: a slot that is moved keeps the large-page and rmap arrays of its old place
// fix: edd4fa37baa6 "KVM: x86: Allocate new rmap and large page tracking when moving memslot"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data stats
// hunks: 2
// caught-by: large_page_test.kvm.moved_slot_counts_anew
//
// Whether 2M and 1G pages are possible, and where, depends on the gpa: ends that are not
// aligned, and memory that is not congruent, forbid them. After a move the answers are
// those of the old gpa, and one array element short if the slot now touches one more
// large page.

@@
@@
kvm_arch_prepare_memory_region(...)
{
<...
- change == KVM_MR_CREATE || change == KVM_MR_MOVE
+ change == KVM_MR_CREATE
...>
}

@@
@@
kvm_arch_prepare_memory_region(...)
{
<...
- change == KVM_MR_FLAGS_ONLY
+ change == KVM_MR_FLAGS_ONLY || change == KVM_MR_MOVE
...>
}

@@
identifier kvm, old;
@@
kvm_arch_commit_memory_region(struct kvm *kvm, struct kvm_memory_slot *old, ...)
{
...
- if (change == KVM_MR_MOVE)
-	kvm_arch_free_memslot(kvm, old);
}
