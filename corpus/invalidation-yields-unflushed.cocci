// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation that lets go of its lock forgets the flush that it owes
// fix: a835429cda91 "KVM: x86/mmu: Ensure TLBs are flushed when yielding during GFN range zap"
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 1
// caught-by: long_invalidation_test.kvm.start_of_a_sparse_range_is_flushed
//
// The walk starts anew with nothing to flush after it has yielded, and has not flushed
// before that. When all that follows is empty, nobody ever does.

@@
expression kvm, iter, flush;
@@
tdp_mmu_zap_leafs(...)
{
<...
- tdp_mmu_iter_cond_resched(kvm, iter, flush, false)
+ tdp_mmu_iter_cond_resched(kvm, iter, false, false)
...>
}
