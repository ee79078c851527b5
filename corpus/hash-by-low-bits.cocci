// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages are looked up by the low bits of their gfn
// fix: 114df303a7ee "kvm: x86: reduce collisions in mmu_page_hash"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm.tdp_mmu=0
// shows: stats
// hunks: 1
// caught-by: guest_tables_test.kvm.shadow_pages_are_found_at_once
//
// Those of large pages have the same ones, and are found by a search through all.
@@
identifier gfn;
@@
- hash_64(gfn, KVM_MMU_HASH_SHIFT)
+ (gfn & ((1 << KVM_MMU_HASH_SHIFT) - 1))
