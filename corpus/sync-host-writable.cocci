// SPDX-License-Identifier: GPL-2.0-only
// title: a page that the host has for reading becomes writable when its table is synced
// fix: never merged
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: host_readonly_test.kvm.file_stays_when_rights_are_given
//
// When a guest has given itself more rights, an SPTE gets them at the next flush, without
// a fault in which the host would be asked. That the page is somebody else's is known
// from the SPTE alone.

@@
identifier host_writable;
expression spte;
@@
- host_writable = spte & shadow_host_writable_mask;
+ host_writable = true;
