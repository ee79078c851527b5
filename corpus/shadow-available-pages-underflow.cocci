// SPDX-License-Identifier: GPL-2.0-only
// title: the number of available shadow pages underflows
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: stats
// hunks: 1
// caught-by: guest_tables_test.kvm.more_tables_than_shadow_pages
//
// With more shadow pages in use than a lowered limit allows, the difference of the two
// is taken for a huge number of pages that are left, and nothing is recycled.

@@
@@
 kvm_mmu_available_pages(...)
 {
- if (kvm->arch.n_max_mmu_pages > kvm->arch.n_used_mmu_pages)
-	return kvm->arch.n_max_mmu_pages - kvm->arch.n_used_mmu_pages;
-
- return 0;
+ return kvm->arch.n_max_mmu_pages - kvm->arch.n_used_mmu_pages;
 }
