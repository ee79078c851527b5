// SPDX-License-Identifier: GPL-2.0-only
// title: a memslot's array of large pages has an entry too few
// fix: never merged; what 05da45583de9 "KVM: MMU: large page support" must get right
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: exit data stats log panic
// hunks: 1
// caught-by: large_page_test.slot.starts_and_ends_inside_2m.maps_what_fits
//
// How many large pages a slot touches depends on where it begins: one that is a
// little longer than 2M may touch three. With the count made from the size alone,
// the entry that forbids a large page at the slot's end goes to the wrong large
// page, and for the last one memory behind the array is read.

@@
@@
  kvm_alloc_memslot_metadata(...)
  {
  <...
- __kvm_mmu_slot_lpages(slot, npages, level)
+ DIV_ROUND_UP(npages, KVM_PAGES_PER_HPAGE(level))
  ...>
  }
