// SPDX-License-Identifier: GPL-2.0-only
// title: TDP MMU roots of SMM are not found by their address space
// files: arch/x86/kvm/mmu/mmu_internal.h
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data stats
// hunks: 1
// caught-by: smm_memslot_test.kvm.dirty_log_is_of_its_address_space
//
// Roots of SMM say that they belong to the ordinary address space. What is done to a
// slot of SMM's, an unmap by the host first of all, then passes them by, and a vCPU in
// SMM goes on with pages that have another owner.

@@
@@
 kvm_mmu_role_as_id(...)
 {
- return role.smm ? 1 : 0;
+ return 0;
 }
