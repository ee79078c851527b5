// SPDX-License-Identifier: GPL-2.0-only
// title: memory of a device is logged only where it was mapped before
// fix: never merged; what bcc4f2bc5026 "KVM: MMU: mark page dirty in make_spte" must get right
// files: arch/x86/kvm/mmu/spte.c
// kernels: 6.1
// hosts: amd
// shows: data
// hunks: 1
// caught-by: pfnmap_test.device.ivshmem.is_in_the_dirty_log
//
// A page that is mapped writable is dirty from then on. With a check of the page frame
// there, as there are for reference counts, that is so for RAM only.

@@
@@
 make_spte(...)
 {
 <...
- if ((spte & PT_WRITABLE_MASK) && kvm_slot_dirty_track_enabled(slot))
+ if ((spte & PT_WRITABLE_MASK) && kvm_slot_dirty_track_enabled(slot) && pfn_valid(pfn))
 {
 ...
 }
 ...>
 }
