// SPDX-License-Identifier: GPL-2.0-only
// title: a 32-bit L1's nested page tables have no upper tables
// fix: 04d45551a1ee "KVM: x86/mmu: Alloc page for PDPTEs when shadowing 32-bit NPT with 64-bit"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: errno log
// hunks: 1
// caught-by: nested_modes_test.kvm.l1_goes_between_modes
//
// Tables of two or three levels are shadowed by four, of which the upper ones are KVM's
// own; only such an L1 needs them. Earlier, b6b80c78af83 has brought another of them.
@@
identifier r, vcpu;
@@
- r = mmu_alloc_special_roots(vcpu);
- if (r)
- 	goto out;
