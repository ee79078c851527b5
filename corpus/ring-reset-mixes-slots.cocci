// SPDX-License-Identifier: GPL-2.0-only
// title: a reset of a dirty ring takes pages of two slots for neighbours
// fix: never merged; what fb04a1eddb1a "KVM: X86: Implement ring-based dirty memory tracking" must get right
// files: virt/kvm/dirty_ring.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// caught-by: dirty_ring_test.kvm.reset_of_two_slots
// hunks: 1
//
// Entries of one slot whose offsets are close are reset together. With those of another
// slot among them, pages of the first are protected in their place, and writes to the
// second slot are not logged any more.

@@
identifier first_round, next_slot, cur_slot;
@@
- !first_round && next_slot == cur_slot
+ !first_round
