// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages are the same with and without SMAP while WP is off
// fix: 0be0226f07d1 "KVM: MMU: fix SMAP virtualization"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: access_test.upper.pde.every_combination
//
// Without CR0.WP, a write by the kernel to the user's read-only page turns its shadow
// entry into a writable one of the kernel's. With SMAP that must be another shadow
// page than without: the role has a bit for "SMAP and not WP". Without the bit, pages
// from before CR4.SMAP was set are used on, and the kernel accesses what is the
// user's.

@@
@@
 kvm_calc_cpu_role(...)
 {
 <...
- role.base.smap_andnot_wp = ____is_cr4_smap(regs) && !____is_cr0_wp(regs);
 ...>
 }
