// SPDX-License-Identifier: GPL-2.0-only
// title: the last 2M of a memslot that ends inside it may be a large page
// fix: never merged; what 05da45583de9 "KVM: MMU: large page support" must get right
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: exit data stats
// hunks: 1
// caught-by: large_page_test.slot.ends_inside_2m.maps_what_fits
//
// A memslot's metadata counts what forbids a large page, and a slot that ends in
// the middle of one begins with a count of 1 there. Without it the guest's access
// to the slot's last pages maps all of the host's large page: a write behind the
// slot's end is no MMIO exit but goes to memory of the VMM.

@@
expression linfo, lpages;
@@
- linfo[lpages - 1].disallow_lpage = 1;
+ ;
