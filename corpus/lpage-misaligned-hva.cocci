// SPDX-License-Identifier: GPL-2.0-only
// title: large pages where gpa and hva are not aligned alike
// fix: ac04527f7947 "KVM: Disable large pages on misaligned memory slots"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// shows: panic data stats
// hunks: 1
// caught-by: large_page_test.slot.hva_4k_ahead.maps_what_fits
//
// A large SPTE drops the low bits of the pfn. If the memslot's hva is 4K ahead of
// its gpa, a gfn in the middle of a large page is backed by another place in the
// host's page, and the guest sees everything shifted. 6.1 has a VM_BUG_ON for it,
// which Debian's configuration leaves out.

@@
expression slot, ugfn, level;
@@
- if ((slot->base_gfn ^ ugfn) & (KVM_PAGES_PER_HPAGE(level) - 1)) {
+ if (0) {
  ...
  }
