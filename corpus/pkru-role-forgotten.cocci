// SPDX-License-Identifier: GPL-2.0-only
// title: CR4.PKE is not in the MMU's role
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: cpu=+pku
// shows: data
// hunks: 1
// caught-by: access_test.kvm.protection_keys
//
// Who finds the MMU's role as it was leaves all that follows from it as it was. A bit of
// CR4 that is missing there counts from some later change on.

@@
@@
 kvm_calc_cpu_role(...)
 {
 ...
- role.ext.cr4_pke = ____is_efer_lma(regs) && ____is_cr4_pke(regs);
+ role.ext.cr4_pke = 0;
 ...
 }
