// SPDX-License-Identifier: GPL-2.0-only
// title: the length of a reverse map is that of its full pieces
// fix: 53a27b39ff4d "KVM: MMU: fix counting of rmap entries in rmap_add()"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// hunks: 1
// caught-by: guest_tables_test.kvm.a_page_mapped_a_thousand_times
//
// The fix is of another miscount at this place.
@@
identifier count, desc, spte;
@@
- count += desc->spte_count;
  desc->sptes[desc->spte_count++] = spte;
