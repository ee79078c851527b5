// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages that are freed still count
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: errno
// hunks: 1
// caught-by: guest_tables_test.kvm.more_tables_than_shadow_pages
//
// The number of shadow pages in use goes up with each and down with none. Once it has
// reached the limit, every fault zaps the oldest pages, until KVM_RUN ends with ENOSPC.

@@
@@
 kvm_unaccount_mmu_page(...)
 {
 <...
- kvm_mod_used_mmu_pages(kvm, -1);
 ...>
 }
