// SPDX-License-Identifier: GPL-2.0-only
// title: an entry of a dirty ring does not say that its slot is SMM's
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: dirty_ring_test.kvm.entries_of_slots_of_smm
//
// Slots of the two address spaces have the same ids. A dirty bitmap belongs to its slot;
// an entry of a ring must say whose it is.

@@
identifier memslot;
@@
 mark_page_dirty_in_slot(...)
 {
 <...
- (memslot->as_id << 16) | memslot->id
+ memslot->id
 ...>
 }
