// SPDX-License-Identifier: GPL-2.0-only
// title: memslots change between the start and the end of an invalidation
// fix: 52ac8b358b0c "KVM: Block memslot updates across range_start() and range_end()"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: hang panic
// caught-by: memslot_race_test.kvm.updates_wait_for_invalidations
// hunks: 1
//
// The start counts an invalidation of a slot's memory, the end finds no slot there: no
// vCPU can fault in any page again. Or the other way round, and the count is negative.

@@
identifier kvm;
@@
  void kvm_swap_active_memslots(struct kvm *kvm, ...)
  {
  <...
- while (kvm->mn_active_invalidate_count) { ... }
  ...>
  }
