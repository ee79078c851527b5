// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation leaves alone the roots that are being dropped
// fix: d62007edf01f "KVM: x86/mmu: Zap _all_ roots when unmapping gfn range in TDP MMU"
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats log
// hunks: 1
// caught-by: long_invalidation_test.kvm.pages_leave_roots_that_are_being_dropped
//
// No vCPU uses an invalid root, but it has the host's pages until it is zapped, which may
// take long. The host takes a page and gives it to somebody else; when the zap comes there,
// it is marked dirty and accessed.

@@
iterator name __for_each_tdp_mmu_root_yield_safe;
expression kvm, root, as_id;
statement S;
@@
kvm_tdp_mmu_unmap_gfn_range(...)
{
...
__for_each_tdp_mmu_root_yield_safe(kvm, root, as_id, false,
- false
+ true
 ) S
...
}
