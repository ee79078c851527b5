// SPDX-License-Identifier: GPL-2.0-only
// title: a page that becomes a page table is write-protected without a flush
// fix: "KVM: X86: Fix missed remote tlb flush in rmap_write_protect()"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// caught-by: guest_shootdown_test.new_table.pt.was_data_that_are_flushed
// hunks: 1
//
// Another CPU's TLB still lets it write to the page, which is shadowed by then.

@@
identifier kvm, slot, gfn;
@@
- if (kvm_mmu_slot_gfn_write_protect(kvm, slot, gfn, PG_LEVEL_4K))
- 	kvm_flush_remote_tlbs_with_address(kvm, gfn, 1);
+ kvm_mmu_slot_gfn_write_protect(kvm, slot, gfn, PG_LEVEL_4K);
