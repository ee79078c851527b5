// SPDX-License-Identifier: GPL-2.0-only
// title: a root that was used with the same CR3 is used again in another role
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: nested_rights_test.kvm.one_cr3_with_and_without_wp
//
// L1 and its L2 go to each other's root without a reset of the MMU between them.
@@
identifier root, role;
expression E;
@@
- E && role.word == to_shadow_page(root->hpa)->role.word
+ E
