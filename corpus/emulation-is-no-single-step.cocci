// SPDX-License-Identifier: GPL-2.0-only
// title: an instruction that is emulated is no single step
// fix: 663f4c61b803 "KVM: x86: handle singlestep during emulation"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: mmio_event_test.kvm.guest_steps_over_each_instruction
// hunks: 1
//
// Who single-steps, guest or VMM, does not stop after an access to a gap, but only
// after the instruction that comes next.

@@
expression e;
@@
 x86_emulate_instruction(...)
 {
 <...
- if (e && (ctxt->tf || (vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP)))
- 	e = kvm_vcpu_do_singlestep(vcpu);
 ...>
 }
