// SPDX-License-Identifier: GPL-2.0-only
// title: a moved memslot keeps the large page metadata of its old gpa
// fix: edd4fa37baa6 "KVM: x86: Allocate new rmap and large page tracking when moving memslot"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data stats log panic
// hunks: 2
// caught-by: large_page_test.kvm.moved_slot_counts_anew
//
// The arrays of a memslot are indexed from its base gfn, and have counts for its
// unaligned ends. Before the fix a move took them along: the new ends are not
// protected, the old ones still are, and a move to a base that is not aligned needs
// one entry more than there is.

@@
identifier change;
@@
- change == KVM_MR_CREATE || change == KVM_MR_MOVE
+ change == KVM_MR_CREATE

@@
identifier kvm, old, new, change;
@@
  int kvm_arch_prepare_memory_region(struct kvm *kvm,
				     const struct kvm_memory_slot *old,
				     struct kvm_memory_slot *new,
				     enum kvm_mr_change change)
  {
  ...
- if (change == KVM_MR_FLAGS_ONLY)
+ if (change == KVM_MR_FLAGS_ONLY || change == KVM_MR_MOVE)
	memcpy(...);
  ...
  }

@@
identifier old, change;
@@
- if (change == KVM_MR_MOVE)
-	kvm_arch_free_memslot(kvm, old);
