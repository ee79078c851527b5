// SPDX-License-Identifier: GPL-2.0-only
// title: a reset of a dirty ring goes on behind the end of the slot
// files: virt/kvm/dirty_ring.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// shows: data panic
// hunks: 1
// caught-by: dirty_ring_test.kvm.entries_across_the_end_of_a_slot
//
// Entries of neighbouring pages are reset together, from the first one on. User space
// may have changed them: that the first one is in the slot does not say so of the last.

@@
expression offset, mask;
identifier memslot;
@@
- !memslot || offset >= memslot->npages || offset + __fls(mask) >= memslot->npages
+ !memslot || offset >= memslot->npages
