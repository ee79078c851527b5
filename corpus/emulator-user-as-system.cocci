// SPDX-License-Identifier: GPL-2.0-only
// title: what the emulator stores for user mode is not checked as a user's access
// fix: 3c9fa24ca7c9 "kvm: x86: use correct privilege level for sgdt/sidt/fxsave/fxrstor access"
// files: arch/x86/kvm/emulate.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: forced_emulation_test.cpl.user.has_the_rights_of_the_cpu
//
// SGDT and its like are emulated with the kernel's rights: the guest's user mode writes
// to pages that are its kernel's.

@@
@@
  segmented_write_std(...)
  {
  ...
- return ctxt->ops->write_std(ctxt, linear, data, size, &ctxt->exception, false);
+ return ctxt->ops->write_std(ctxt, linear, data, size, &ctxt->exception, true);
  }
