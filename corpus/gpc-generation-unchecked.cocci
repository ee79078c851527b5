// SPDX-License-Identifier: GPL-2.0-only
// title: a cached pfn of KVM's own writes outlives the memslot
// fix: never merged; what 982ed0de4753 "KVM: Reinstate gfn_to_pfn_cache with invalidation support" must get right
// files: virt/kvm/pfncache.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 2
// caught-by: kvm_writer_test.writer.clock.follows_the_memslots
//
// A gfn_to_pfn_cache that does not look at the generation of the memslots is valid
// until the host gives the page up, and kvmclock is written to the slot of before.

@@
expression gpc, slots, a, b;
@@
- a || gpc->generation != slots->generation || b
+ a || b
