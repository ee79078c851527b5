// SPDX-License-Identifier: GPL-2.0-only
// title: MMIO generation overlaps the bits that mark an MMIO SPTE
// fix: 56871d444bc4 "KVM: x86: fix overlap between SPTE_MMIO_MASK and generation"
// files: arch/x86/kvm/mmu/spte.h
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: stats
// hunks: 2
// caught-by: mmio_generation_test.update.flags.gaps_stay_gaps
//
// The upper part of the generation starts one bit too low, in bit 51, which is what
// tells an MMIO SPTE on AMD. The bit is always set in one, so bit 8 of the generation
// is always read back as 1: half of the time no MMIO SPTE is ever found valid, and
// each access to a gap makes a new one. (In 5.6 the bits that overlapped made other
// SPTEs of them.)

@@
@@
- #define MMIO_SPTE_GEN_HIGH_START	52
+ #define MMIO_SPTE_GEN_HIGH_START	51

@@
@@
- #define MMIO_SPTE_GEN_HIGH_END		62
+ #define MMIO_SPTE_GEN_HIGH_END		61

@@
declarer name static_assert;
@@
- static_assert(!(SPTE_MMIO_ALLOWED_MASK & (SPTE_MMU_PRESENT_MASK | MMIO_SPTE_GEN_LOW_MASK | MMIO_SPTE_GEN_HIGH_MASK)));
