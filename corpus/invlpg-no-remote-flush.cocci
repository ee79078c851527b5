// SPDX-License-Identifier: GPL-2.0-only
// title: what an INVLPG drops stays in the TLBs of other vCPUs
// fix: never merged
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// params: kvm_amd.npt=0
// shows: stats
// caught-by: guest_shootdown_test.kvm.page_of_an_exchanged_entry_can_go
// hunks: 1
//
// They may keep the old translation until they flush, but the page that it leads to is
// not KVM's any more: nobody asks KVM when the host frees it.

@@
expression kvm, gfn, nr, old;
@@
- if (is_shadow_present_pte(old))
- 	kvm_flush_remote_tlbs_with_address(kvm, gfn, nr);
