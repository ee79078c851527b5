// SPDX-License-Identifier: GPL-2.0-only
// title: NX is taken for a reserved bit of NPT entries
// fix: 6c6ab524cfae "KVM: x86/mmu: Treat NX as a valid SPTE bit for NPT"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm.nx_huge_pages=1
// shows: log
// hunks: 1
// caught-by: nx_huge_page_test.kvm.only_what_is_executed_is_split
//
// The table of reserved bits for NPT's own entries is made as for a CPU that has no
// NX. KVM sets that bit itself, on large pages while the iTLB mitigation is on, and
// then finds a reserved bit in what it has just built.

@@
expression check, hpa, mmu, gb;
@@
- __reset_rsvds_bits_mask(check, hpa, mmu->root_role.level, true, gb, false, true)
+ __reset_rsvds_bits_mask(check, hpa, mmu->root_role.level, false, gb, false, true)
