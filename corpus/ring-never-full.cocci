// SPDX-License-Identifier: GPL-2.0-only
// title: a dirty ring's soft limit does not stop the vCPU
// fix: never merged; what fb04a1eddb1a "KVM: X86: Implement ring-based dirty memory tracking" must get right
// files: virt/kvm/dirty_ring.c
// kernels: 6.1
// hosts: amd intel
// shows: log data
// hunks: 1
// caught-by: dirty_ring_test.backing.anonymous.full_ring_exits_and_loses_nothing
//
// The vCPU is to exit some entries before the ring is full. With a limit above the
// size it goes on and overwrites entries that nobody has harvested.

@@
expression ring;
@@
- ring->soft_limit = ring->size - kvm_dirty_ring_get_rsvd_entries();
+ ring->soft_limit = ring->size + kvm_dirty_ring_get_rsvd_entries();
