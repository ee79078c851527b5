// SPDX-License-Identifier: GPL-2.0-only
// title: aging without accessed bits forgets that the page was written
// fix: never merged; what f160c7b7bb32 "kvm: x86: mmu: Lockless access tracking for Intel CPUs without EPT A bits" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: intel
// params: kvm_intel.eptad=0 kvm.tdp_mmu=0
// shows: data
// caught-by: mmu_notifier_test.lazily_freed.of_4k.what_the_guest_wrote_is_not_clean
// hunks: 1
//
// Without dirty bits, a writable SPTE is all that KVM knows of a write. Access tracking
// takes the right to write away. The TDP MMU finds out again, in handle_changed_spte().

@@
identifier fn =~ "^mmu_spte_age$";
expression spte;
@@
  fn(...)
  {
  <...
- if (is_writable_pte(spte))
- 	kvm_set_pfn_dirty(...);
  ...>
  }
