// SPDX-License-Identifier: GPL-2.0-only
// title: what KVM writes through a cached translation is not logged
// fix: never merged; what 49c7754ce570 "KVM: Add memory slot versioning and use it to provide fast guest write interface" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: dirty_writers_test.log.bitmap.kvm_itself
//
// Steal time, the end-of-interrupt flag and others reach guest memory through a
// gfn_to_hva_cache.

@@
identifier kvm, ghc, gpa;
@@
- mark_page_dirty_in_slot(kvm, ghc->memslot, gpa >> PAGE_SHIFT);
