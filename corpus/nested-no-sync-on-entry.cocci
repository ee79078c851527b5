// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages are not synchronized when L2 is entered
// fix: 07ffaf343e34 "KVM: nVMX: Sync all PGDs on nested transition with shadow paging"
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: nested_mmu_test.l2.nested_paging.sees_pages_unmapped_and_mapped
//
// A VMRUN may flush what L2 has cached of L1's tables, so KVM has to bring its
// shadow of these up to date: L1 may write entries of the last level without KVM
// noticing. With a flush of the TLB alone, L2 goes on with what L1 had before.

@@
expression vcpu;
@@
- kvm_make_request(KVM_REQ_MMU_SYNC, vcpu);
