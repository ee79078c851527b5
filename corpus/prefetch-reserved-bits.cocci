// SPDX-License-Identifier: GPL-2.0-only
// title: a PTE with reserved bits is mapped ahead of time, or stays when it is synced
// fix: never merged; what 957ed9effd80 "KVM: MMU: prefetch ptes when intercepted guest #PF" must get right
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: reserved_bits_test.mode.pae.reserved_bits_fault
//
// The PTEs next to one that the guest has used, and those of a table that was out of
// sync, get no walk of their own that would find these bits.

@@
expression vcpu, gpte;
@@
- if (FNAME(is_rsvd_bits_set)(vcpu->arch.mmu, gpte, PG_LEVEL_4K))
-	goto no_present;
