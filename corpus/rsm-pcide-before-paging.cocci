// SPDX-License-Identifier: GPL-2.0-only
// title: RSM sets CR4.PCIDE before long mode is on
// fix: never merged
// files: arch/x86/kvm/emulate.c
// kernels: 6.1
// hosts: intel
// shows: exit
// caught-by: smm_access_test.rsm.pcid_0.gives_back_what_the_smi_took
// hunks: 1
//
// That is refused, and the guest is at its end.

@@
identifier ctxt, cr4, bad;
@@
- bad = ctxt->ops->set_cr(ctxt, 4, cr4 & ~X86_CR4_PCIDE);
+ bad = ctxt->ops->set_cr(ctxt, 4, cr4);
