// SPDX-License-Identifier: GPL-2.0-only
// title: RSM loads a CR3 with a PCID before CR4.PCIDE is set
// fix: never merged
// files: arch/x86/kvm/emulate.c
// kernels: 6.1
// hosts: intel
// shows: exit
// caught-by: smm_access_test.rsm.pcid_5.gives_back_what_the_smi_took
// hunks: 1
//
// CR4.PCIDE cannot be set while the low bits of CR3 are not 0: the guest is at its end.

@@
identifier pcid, cr3, cr4;
@@
  pcid = 0;
  if (cr4 & X86_CR4_PCIDE) {
  	pcid = cr3 & 0xfff;
- 	cr3 &= ~0xfff;
  }
