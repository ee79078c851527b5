// SPDX-License-Identifier: GPL-2.0-only
// title: the number of shadow pages that user space asked for is forgotten with the next memslot
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// caught-by: memslot_huge_test.kvm.shadow_pages_that_were_asked_for_stay
// hunks: 1
//
// KVM_SET_NR_MMU_PAGES counts until a slot comes or goes.

@@
expression c, d;
@@
 kvm_arch_commit_memory_region(...)
 {
 <...
- !kvm->arch.n_requested_mmu_pages && (c || d)
+ (c || d)
 ...>
 }
