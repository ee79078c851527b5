// SPDX-License-Identifier: GPL-2.0-only
// title: L1's nested page tables are not write-protected in the TDP MMU
// fix: 7c8a4742c4ab "KVM: x86/mmu: Fix write-protection of PTs mapped by the TDP MMU"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: nested_mmu_test.l2.nested_paging.sees_pages_unmapped_and_mapped
//
// KVM shadows what L1 has as nested page tables and must see L1 write to them. L1
// itself is mapped by the TDP MMU: if its SPTEs stay writable, an entry of an upper
// level changes, and L2 never gets to know.

@@
expression kvm, slot, gfn, min_level;
@@
- kvm_tdp_mmu_write_protect_gfn(kvm, slot, gfn, min_level)
+ false
