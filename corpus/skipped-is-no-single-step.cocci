// SPDX-License-Identifier: GPL-2.0-only
// title: an instruction that KVM skips is no single step
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: mmio_event_test.kvm.guest_steps_over_each_instruction
// hunks: 1
//
// IN, OUT and all that KVM does without its emulator: a guest with TF does not get
// its #DB.

@@
@@
 kvm_skip_emulated_instruction(...)
 {
 <...
- if (unlikely(rflags & X86_EFLAGS_TF))
- 	r = kvm_vcpu_do_singlestep(vcpu);
 ...>
 }
