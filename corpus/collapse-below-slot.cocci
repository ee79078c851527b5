// SPDX-License-Identifier: GPL-2.0-only
// title: collapsing looks up the large page metadata of a gfn outside the memslot
// fix: "KVM: x86/mmu: Check that gfn is within memslot when zapping collapsible SPTEs" [family]
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: log panic stats
// hunks: 1
//
// When dirty logging ends, the TDP MMU asks for each page table whether a large
// page could be there. One that covers more than the slot begins below it, and the
// question reads before the start of the slot's array.

@@
expression start, end;
iterator name for_each_tdp_pte_min_level;
@@
- if (iter.gfn < start || iter.gfn >= end)
-	continue;
