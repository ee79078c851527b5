// SPDX-License-Identifier: GPL-2.0-only
// title: shadow pages are freed without a flush
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
// Other CPUs may walk through a page that is something else by then.
@@
identifier kvm, sp, nsp, invalid_list, link;
iterator name list_for_each_entry_safe;
statement S;
@@
- kvm_flush_remote_tlbs(kvm);
  list_for_each_entry_safe(sp, nsp, invalid_list, link) S
