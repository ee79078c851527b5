// SPDX-License-Identifier: GPL-2.0-only
// title: an entry that a sync drops is not flushed
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
// It is in no reverse map any more, and other TLBs still have it when the page goes.
@@
identifier flush, vcpu, sp, invalid_list;
@@
- flush |= kvm_sync_page(vcpu, sp, &invalid_list) > 0;
+ kvm_sync_page(vcpu, sp, &invalid_list);
