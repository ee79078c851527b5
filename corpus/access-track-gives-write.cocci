// SPDX-License-Identifier: GPL-2.0-only
// title: the end of access tracking gives the right to write
// fix: never merged; what f160c7b7bb32 "kvm: x86: mmu: Lockless access tracking for Intel CPUs without EPT A bits" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: intel
// params: kvm_intel.eptad=0
// shows: log
// caught-by: aging_test.kvm.pages_in_use_stay
// hunks: 1
//
// What was write-protected before is so again, whoever touches it first.

@@
identifier fn =~ "^fast_page_fault$";
expression new, old;
@@
  fn(...)
  {
  <...
- new = restore_acc_track_spte(old);
+ new = restore_acc_track_spte(old) | PT_WRITABLE_MASK;
  ...>
  }
