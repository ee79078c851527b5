// SPDX-License-Identifier: GPL-2.0-only
// title: a user page that the kernel may write with CR0.WP=0 is executable for it in spite of SMEP
// fix: 844a5fe219cf "KVM: MMU: fix ept=0/pte.u=1/pte.w=0/CR0.WP=0/CR4.SMEP=1/EFER.NX=0 combo"
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// caught-by: access_test.kvm.kernel_writes_users_readonly_page
// hunks: 1
//
// To let the kernel write a read-only user page, its shadow becomes a kernel page; with
// SMEP, that must not be executed either.

@@
expression E;
identifier walker;
@@
- if (is_cr4_smep(E))
- 	walker.pte_access &= ~ACC_EXEC_MASK;
