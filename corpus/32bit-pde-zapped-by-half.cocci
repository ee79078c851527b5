// SPDX-License-Identifier: GPL-2.0-only
// title: a write to a 32-bit PDE zaps one of its two shadow entries
// fix: ac1b714e78c8 "KVM: MMU: Fix guest writes to nonpae pde"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.mode.32bit.edits_in_one_mode
//
// A page directory of 4-byte entries is shadowed by four pages of 8-byte entries, and
// each of its entries, which maps 4M, by two of these. A write to it must zap both;
// here the second 2M go on as before.

@@
@@
 get_written_sptes(...)
 {
 <...
- *nspte = 2;
 ...>
 }
