// SPDX-License-Identifier: GPL-2.0-only
// title: an access of 32-bit code that wraps at 4G is emulated beyond
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data exit
// hunks: 1
// caught-by: guest_modes_test.kvm.gap_accesses_wrap_at_4g
//
// The second part of what begins on the last bytes of 4G is at 0.

@@
typedef u32;
identifier ctxt, addr;
@@
- if (ctxt->mode != X86EMUL_MODE_PROT64)
- 	addr = (u32)addr;
