// SPDX-License-Identifier: GPL-2.0-only
// title: an exit to L1 does not say which interrupt it has cut short
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: nested_event_test.injected.interrupt_nested_paging.is_told_or_delivered_once
//
// What was being delivered to L2 is in EXITINTINFO, for L1 to inject it again. Here that
// is so for exceptions and NMIs, and interrupts are lost.

@@
@@
 nested_save_pending_event_to_vmcb12(...)
 {
 <...
- vcpu->arch.interrupt.injected
+ 0
 ...>
 }
