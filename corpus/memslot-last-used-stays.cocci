// SPDX-License-Identifier: GPL-2.0-only
// title: the slot that was looked up last is still looked at when it is gone
// fix: 0774a964ef56 "KVM: Fix out of range accesses to memslots" (of the same kind)
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: memslot_many_test.kvm.kvm_finds_what_is_there
//
// Lookups start with the slot that the last one found. When that slot is deleted, or is
// replaced by a copy with other flags or another gpa, the hint must be dropped: it
// points to memory that is free.

@@
identifier old, new, slots;
@@
kvm_replace_memslot(..., struct kvm_memory_slot *old, struct kvm_memory_slot *new)
{
<...
- if ((long)old == atomic_long_read(&slots->last_used_slot))
-	atomic_long_set(&slots->last_used_slot, (long)new);
...>
}
