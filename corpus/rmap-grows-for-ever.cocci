// SPDX-License-Identifier: GPL-2.0-only
// title: a page that is mapped more than a thousand times keeps all its mappings
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: stats
// hunks: 1
// caught-by: guest_tables_test.kvm.a_page_mapped_a_thousand_times
//
// Each that is added is looked for behind all others: a guest can have KVM spend its
// time there.
@@
@@
- rmap_count > RMAP_RECYCLE_THRESHOLD
+ 0
