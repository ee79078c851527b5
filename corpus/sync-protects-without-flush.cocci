// SPDX-License-Identifier: GPL-2.0-only
// title: tables are write-protected when they are synced, and no TLB is flushed
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
// Another CPU's TLB still lets it write to a table that is taken for synced.
@@
identifier protected, vcpu, invalid_list;
statement S;
@@
- if (protected) {
- 	kvm_mmu_remote_flush_or_zap(vcpu->kvm, &invalid_list, true);
- 	S
- }
