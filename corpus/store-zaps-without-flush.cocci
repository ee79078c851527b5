// SPDX-License-Identifier: GPL-2.0-only
// title: an upper entry that a guest's store zaps is not flushed
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// hunks: 1
// caught-by: guest_shootdown_test.kvm.stores_and_syncs_flush
//
// What was below may be freed while a CPU still walks through it.
@@
identifier entry, flush, spte;
@@
- if (is_shadow_present_pte(entry))
- 	flush = true;
  ++spte;
