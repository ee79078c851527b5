// SPDX-License-Identifier: GPL-2.0-only
// title: protection keys are checked after CR4.PKE was cleared
// fix: a3ca5281bb77 "KVM: MMU: reset mmu->pkru_mask to avoid stale data"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: cpu=+pku
// shows: data
// hunks: 1
// caught-by: access_test.kvm.protection_keys
//
// What KVM knows of protection keys is made anew when the guest's paging changes, but
// without CR4.PKE there is nothing to make, and what was there stays: accesses that KVM
// makes for the guest fault by keys that the CPU does not look at.

@@
@@
 update_pkru_bitmask(...)
 {
 ...
- mmu->pkru_mask = 0;
- if (!is_cr4_pke(mmu))
- 	return;
+ if (!is_cr4_pke(mmu))
+ 	return;
+ mmu->pkru_mask = 0;
 ...
 }
