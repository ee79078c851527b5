// SPDX-License-Identifier: GPL-2.0-only
// title: a string instruction accesses the gpa of its fault again and again
// fix: never merged; 0f89b207b04a "kvm: svm: Use the hardware provided GPA instead of page walk" brought the check
// files: arch/x86/kvm/emulate.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: mmio_string_test.kvm.strings_across_every_border
//
// With NPT and EPT, KVM knows the gpa of a fault and need not walk the guest's tables
// for it. That holds for one access of one operand: not for the other one of MOVS, if it
// is at the same offset in its page, nor for a REP that goes on in the next page.

@@
identifier ctxt;
@@
emulator_can_use_gpa(struct x86_emulate_ctxt *ctxt)
{
- if (ctxt->rep_prefix && (ctxt->d & String))
-	return false;
-
- if (ctxt->d & TwoMemOp)
-	return false;
-
  return true;
}
