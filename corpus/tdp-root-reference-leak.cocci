// SPDX-License-Identifier: GPL-2.0-only
// title: a TDP MMU root is born with a reference that nobody puts
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: log leak
// hunks: 1
// caught-by: vm_teardown_test.alive.mmio.dies_in_each_order
//
// A new root begins with one reference too many. When its VM is gone, nobody has put
// it: the root, and all that KVM counts for it, stays.

@@
@@
 kvm_tdp_mmu_get_vcpu_root_hpa(...)
 {
 <...
- refcount_set(&root->tdp_mmu_root_count, 2);
+ refcount_set(&root->tdp_mmu_root_count, 3);
 ...>
 }
