// SPDX-License-Identifier: GPL-2.0-only
// title: the limit of shadow pages overflows in a VM with much memory
// fix: bc8a3d8925a8 "kvm: mmu: Fix overflow on kvm mmu page limit calculation"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: stats
// hunks: 1
// caught-by: memslot_huge_test.kvm.shadow_pages_are_allowed_in_proportion
//
// How many shadow pages a VM may have is twenty per mille of its memory's pages, which
// was computed in 32 bits. From some 800 GB on the product wraps, and a large VM gets
// the limit of a small one: its guest's page tables are thrown away all the time.

@@
expression kvm, nr;
@@
- nr = kvm->nr_memslot_pages / KVM_MEMSLOT_PAGES_TO_MMU_PAGES_RATIO;
+ nr = (unsigned int)kvm->nr_memslot_pages * 20 / 1000;
