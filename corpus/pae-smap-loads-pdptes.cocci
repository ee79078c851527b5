// SPDX-License-Identifier: GPL-2.0-only
// title: toggling CR4.SMAP loads PDPTEs
// fix: 427890aff855 "kvm: x86: Toggling CR4.SMAP does not load PDPTEs in PAE mode"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.cr4.smap.toggled_loads_pdptes_or_does_not
//
// In PAE mode the CPU has a copy of the four PDPTEs, which some bits of CR4 make it
// load again when they are toggled. SMAP is none of these. A guest that has edited a
// PDPTE, and toggles SMAP, goes by the new one too early; one that has a reserved bit
// in there gets a #GP that no CPU would raise.

@@
@@
 kvm_set_cr4(...)
 {
 <...
- ((cr4 ^ old_cr4) & X86_CR4_PDPTR_BITS)
+ ((cr4 ^ old_cr4) & (X86_CR4_PDPTR_BITS | X86_CR4_SMAP))
 ...>
 }
