// SPDX-License-Identifier: GPL-2.0-only
// title: the upper half of the MMIO generation is a copy of the lower one
// fix: 34c0f6f2695a "KVM: mmu: Fix SPTE encoding of MMIO generation upper half"
// files: arch/x86/kvm/mmu/spte.h
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 1
// caught-by: mmio_generation_test.update.flags.gaps_stay_gaps
//
// A missing shift puts bits 0 to 10 of the generation into the SPTE bits that are for
// bits 8 to 18, and takes them out from there for bits 0 to 10. Once the generation
// has more bits than that, no MMIO SPTE is ever found valid: each access to a gap makes
// a new one and walks page tables for it.

@@
@@
- #define MMIO_SPTE_GEN_HIGH_SHIFT	(MMIO_SPTE_GEN_HIGH_START - MMIO_SPTE_GEN_LOW_BITS)
+ #define MMIO_SPTE_GEN_HIGH_SHIFT	MMIO_SPTE_GEN_HIGH_START
