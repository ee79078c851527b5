// SPDX-License-Identifier: GPL-2.0-only
// title: a page that was a guest's page directory stays out of large pages
// fix: never merged; what 21ebbedadd0d "KVM: page track: add the framework of guest page tracking" must get right
// files: arch/x86/kvm/mmu/page_track.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: stats
// hunks: 1
// caught-by: large_page_test.kvm.page_directory_inside_a_large_page
//
// While a page is write-tracked no large page may hold it. The count of what forbids one
// is not taken back when the tracking ends.

@@
@@
  kvm_slot_page_track_remove_page(...)
  {
  ...
- kvm_mmu_gfn_allow_lpage(slot, gfn);
  }
