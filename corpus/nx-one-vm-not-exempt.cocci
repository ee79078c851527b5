// SPDX-License-Identifier: GPL-2.0-only
// title: a VM that may do without the iTLB multihit workaround gets it all the same
// fix: never merged; what 084cc29f8bbb "KVM: x86/MMU: Allow NX huge pages to be disabled on a per-vm basis" must get right
// files: arch/x86/kvm/mmu/mmu_internal.h
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: stats
// hunks: 1
// caught-by: nx_huge_page_test.kvm.one_vm_does_without
//
// Large pages of such a VM are split when the guest executes from them.

@@
identifier kvm;
@@
- return READ_ONCE(nx_huge_pages) && !kvm->arch.disable_nx_huge_pages;
+ return READ_ONCE(nx_huge_pages);
