// SPDX-License-Identifier: GPL-2.0-only
// title: an instruction that is emulated for MMIO or for L2 may be tried again
// fix: 6c3dfeb6a48b "KVM: x86: Do not re-{try,execute} after failed emulation in L2"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: log
// caught-by: nested_mmio_test.l2.nested_paging.gaps_exit_through_all_generations
// hunks: 1
//
// What KVM may do about L1's page tables, to let the CPU execute the instruction
// itself, helps neither MMIO nor an L2.

@@
identifier emulation_type;
@@
- if (!mmio_info_in_cache(...) && !is_guest_mode(...))
  	emulation_type |= EMULTYPE_ALLOW_RETRY_PF;
