// SPDX-License-Identifier: GPL-2.0-only
// title: bits of an EPT page-directory entry that must be 0 are not looked at
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.memory_types_and_bits_that_are_none
// hunks: 1
//
// Bits 3 to 6 of an entry that leads to a table.

@@
@@
- rsvd_check->rsvd_bits_mask[0][1] = high_bits_rsvd | rsvd_bits(3, 6) | large_2m_rsvd;
+ rsvd_check->rsvd_bits_mask[0][1] = high_bits_rsvd | large_2m_rsvd;
