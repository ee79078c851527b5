// SPDX-License-Identifier: GPL-2.0-only
// title: MMIO SPTE generation overlaps the MMU-present bit
// fix: never merged: "KVM: x86/mmu: Exclude the MMU_PRESENT bit from MMIO SPTE's generation" was folded into edea7c4fc215 "KVM: x86/mmu: Use a dedicated bit to track shadow/MMU-present SPTEs"
// files: arch/x86/kvm/mmu/spte.h
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// shows: errno log panic
// hunks: 3
// caught-by: mmio_generation_test.update.flags.gaps_stay_gaps
//
// Bit 11 says that an SPTE is MMU-present. Give it to the low part of the MMIO
// generation as well, which then has 9 bits, as in the patch that was posted in
// March 2021: as soon as bit 8 of the generation is set, an MMIO SPTE is taken
// for a mapped page. Re-walking it finds reserved bits and KVM_RUN fails with
// EINVAL; zapping it in the shadow MMU looks for an rmap that never was.
// Two static asserts stand in the way.
//
// Seen on both vendors: EINVAL and the reserved bits in the log with the TDP MMU;
// with kvm.tdp_mmu=0, kvm_amd.npt=0 or kvm_intel.ept=0 the exit of the VMM panics
// the host in drop_spte(), called from kvm_mmu_notifier_release().

@@
@@
- #define MMIO_SPTE_GEN_LOW_END 10
+ #define MMIO_SPTE_GEN_LOW_END 11

@@
declarer name static_assert;
@@
- static_assert(!(SPTE_MMU_PRESENT_MASK & (MMIO_SPTE_GEN_LOW_MASK | MMIO_SPTE_GEN_HIGH_MASK)));

@@
declarer name static_assert;
@@
- static_assert(MMIO_SPTE_GEN_LOW_BITS == 8 && MMIO_SPTE_GEN_HIGH_BITS == 11);
