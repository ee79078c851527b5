// SPDX-License-Identifier: GPL-2.0-only
// title: the last entries of a dirty ring are not reset
// fix: never merged; what fb04a1eddb1a "KVM: X86: Implement ring-based dirty memory tracking" must get right
// files: virt/kvm/dirty_ring.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: dirty_ring_test.backing.anonymous.each_written_page_is_in_the_ring_once
//
// The pages that were collected into a mask last are write-protected after the loop.
// If that is forgotten, they are never logged again.

@@
expression kvm, cur_slot, cur_offset, mask;
identifier ring;
@@
- kvm_reset_dirty_gfn(kvm, cur_slot, cur_offset, mask);
  trace_kvm_dirty_ring_reset(ring);
