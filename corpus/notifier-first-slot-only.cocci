// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation that spans two memslots stops after the first
// fix: never merged; what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data stats
// hunks: 1
// caught-by: mmu_notifier_test.range.over_two_slots.unmaps_all_of_it_and_nothing_else
//
// The same memory may be in two memslots, and memory of two slots may be next to
// each other. A notifier's range concerns all of them.

@@
identifier ret, range, kvm, gfn_range;
@@
  ret |= range->handler(kvm, &gfn_range);
+ break;
