// SPDX-License-Identifier: GPL-2.0-only
// title: a page that becomes an upper table is write-protected without a flush
// fix: never merged
// files: arch/x86/kvm/mmu/page_track.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// hunks: 1
// caught-by: guest_shootdown_test.new_table.pd.was_data_that_are_flushed
//
// As shadow-protect-no-flush, for tables that never go out of sync.
@@
identifier kvm, slot, gfn;
@@
- if (kvm_mmu_slot_gfn_write_protect(kvm, slot, gfn, PG_LEVEL_4K))
- 	kvm_flush_remote_tlbs(kvm);
+ kvm_mmu_slot_gfn_write_protect(kvm, slot, gfn, PG_LEVEL_4K);
