// SPDX-License-Identifier: GPL-2.0-only
// title: a page that was a page table is write-protected however often it is written
// fix: never merged; what a30f47cb1511 "KVM: MMU: improve write flooding detected" is about
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// hunks: 1
// caught-by: guest_tables_test.kvm.stores_to_a_directory_used_and_unused
//
// Each store to it is emulated.
@@
identifier sp;
@@
- atomic_read(&sp->write_flooding_count) >= 3
+ false
