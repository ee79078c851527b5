// SPDX-License-Identifier: GPL-2.0-only
// title: a root that is no shadow page is kept when roots are exchanged
// fix: 5499ea73e7db "KVM: x86/mmu: look for a cached PGD when going from 32-bit to 64-bit"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: panic
// hunks: 1
// caught-by: nested_modes_test.kvm.l1_goes_between_modes
//
// The roots of PAE and of 32-bit paging are four, in a page that has no shadow page
// behind it in which a role could be looked up.
@@
identifier kvm, mmu;
@@
- if (VALID_PAGE(mmu->root.hpa) && !to_shadow_page(mmu->root.hpa))
- 	kvm_mmu_free_roots(kvm, mmu, KVM_MMU_ROOT_CURRENT);
