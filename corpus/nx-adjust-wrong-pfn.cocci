// SPDX-License-Identifier: GPL-2.0-only
// title: a fault that steps down below an NX huge page forgets the pfn's low bits
// fix: never merged; what b8e8c8303ff2 "kvm: mmu: ITLB_MULTIHIT mitigation" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data panic
// hunks: 1
// caught-by: nx_huge_page_test.kvm.only_what_is_executed_is_split
//
// hugepage_adjust has cut the pfn down to the start of the large page. When a page
// table is there already, because the guest executes from that 2M, KVM maps 4K
// after all and must take the gfn's bits back into the pfn. Without that, each 4K
// page that is touched later is the first one of the large page.

@@
identifier fault, page_mask;
@@
- fault->pfn |= fault->gfn & page_mask;
+ (void)page_mask;
