// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation of what only an L2 has mapped does not flush
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 1
// caught-by: nested_memslot_test.l2.nested_paging.sees_what_the_host_does_to_memory
//
// An invalidation looks into the shadow pages of L1's tables and into the TDP MMU. That
// the first one has found something is forgotten here.

@@
@@
- flush = kvm_tdp_mmu_unmap_gfn_range(kvm, range, flush);
+ flush = kvm_tdp_mmu_unmap_gfn_range(kvm, range, false);
