// SPDX-License-Identifier: GPL-2.0-only
// title: a gfn behind a slot's end is looked up as that slot
// fix: b6467ab142b7 "KVM: Check validity of resolved slot when searching memslots"
// files: include/linux/kvm_host.h
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data exit panic
// hunks: 1
// caught-by: memslot_delete_test.backing.anonymous.deleted_slot_is_a_gap
//
// The search for a gfn ends at the slot that starts below it, and nobody looks whether
// that slot reaches so far. An access to the gap behind goes to the memory behind the
// slot's.

@@
identifier slots, gfn, approx, slot;
@@
search_memslots(struct kvm_memslots *slots, gfn_t gfn, bool approx)
{
...
- return approx ? slot : NULL;
+ return slot;
}
