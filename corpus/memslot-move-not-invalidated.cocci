// SPDX-License-Identifier: GPL-2.0-only
// title: a slot is moved without being made invalid first
// fix: 12d6e7538e2d "KVM: perform an invalid memslot step for gpa base change"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 2
// caught-by: memslot_move_test.far.by_2m.gap_and_memory_change_places
//
// A move is a deletion at the old place. Treated as a change of what is in the slot's
// description, it zaps nothing: at the old gpa the guest still finds the memory.

@@
@@
kvm_set_memslot(...)
{
<...
- if (change == KVM_MR_DELETE || change == KVM_MR_MOVE)
+ if (change == KVM_MR_DELETE)
 { ... }
...>
}

@@
expression kvm, old, new, invalid_slot;
@@
- kvm_move_memslot(kvm, old, new, invalid_slot);
+ kvm_move_memslot(kvm, old, new, old);

@@
expression invalid_slot;
@@
- if (change == KVM_MR_DELETE || change == KVM_MR_MOVE)
+ if (change == KVM_MR_DELETE)
	kfree(invalid_slot);
