// SPDX-License-Identifier: GPL-2.0-only
// title: the MMIO page that a vCPU remembers of a nested page fault has a gva
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: exit
// caught-by: mmio_cache_test.kvm.ram_whose_gva_is_the_gaps_gpa_is_ram
// hunks: 2
//
// With nested paging a fault has a gpa, and no gva. If the gpa is noted as both, what
// KVM accesses for the guest at the gva of the same number is an access to the gap,
// whatever the guest has there.

@@
@@
 handle_mmio_page_fault(...)
 {
 <...
- if (direct)
- 	addr = 0;
 ...>
 }

@@
expression fault;
@@
 handle_abnormal_pfn(...)
 {
 <...
- fault->is_tdp ? 0 : fault->addr
+ fault->addr
 ...>
 }
