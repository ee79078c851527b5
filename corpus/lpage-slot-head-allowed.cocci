// SPDX-License-Identifier: GPL-2.0-only
// title: the first 2M of a memslot that begins inside it may be a large page
// fix: never merged; what 05da45583de9 "KVM: MMU: large page support" must get right
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: exit data stats log
// hunks: 1
// caught-by: large_page_test.slot.starts_inside_2m.maps_what_fits
//
// The other end: what lies before the slot's first page, in the same large page of
// the host, becomes the guest's, although no slot has it.

@@
expression linfo;
@@
- linfo[0].disallow_lpage = 1;
+ ;
