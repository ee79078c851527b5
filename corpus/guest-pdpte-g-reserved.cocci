// SPDX-License-Identifier: GPL-2.0-only
// title: bit 8 of a PDPTE is reserved, as that of a PML4E is on AMD's CPUs
// fix: 5ecad245de2a "KVM: x86: bit 8 of non-leaf PDPEs is not reserved"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: data exit
// hunks: 1
// caught-by: reserved_bits_test.mode.long.other_bits_do_not
//
// A page table that the CPU takes is a fault when KVM walks it.

@@
@@
- rsvd_check->rsvd_bits_mask[0][2] = high_bits_rsvd | gbpages_bit_rsvd;
+ rsvd_check->rsvd_bits_mask[0][2] = high_bits_rsvd | nonleaf_bit8_rsvd | gbpages_bit_rsvd;
