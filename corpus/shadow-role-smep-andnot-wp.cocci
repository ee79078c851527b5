// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages are the same with and without SMEP while WP is off
// fix: "KVM: MMU: Adjust shadow paging to work when SMEP=1 and CR0.WP=0"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: access_test.kvm.smep_and_smap_after_a_write_without_wp
//
// As for SMAP: what the kernel may write to without CR0.WP it could then execute, so
// with SMEP such an entry is no-execute, and the role has a bit for "SMEP and not WP".
// Without the bit, entries from before CR4.SMEP was set are used on.

@@
@@
 kvm_calc_cpu_role(...)
 {
 <...
- role.base.smep_andnot_wp = ____is_cr4_smep(regs) && !____is_cr0_wp(regs);
 ...>
 }
