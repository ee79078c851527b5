// SPDX-License-Identifier: GPL-2.0-only
// title: bit 8 of a PML4E is not reserved, as it is on Intel's CPUs
// fix: a0c0feb57992 "KVM: x86: reserve bit 8 of non-leaf PDPEs and PML4Es in 64-bit mode on AMD"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: maxphyaddr_test.kvm.faults_on_g_of_an_upper_entry
//
// What faults on the CPU that the guest knows must fault when KVM walks its tables.

@@
identifier nonleaf_bit8_rsvd, amd;
@@
- if (amd)
-	nonleaf_bit8_rsvd = rsvd_bits(8, 8);
