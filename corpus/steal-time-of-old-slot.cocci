// SPDX-License-Identifier: GPL-2.0-only
// title: the steal time is written to where the memslot was
// fix: 7e2175ebd695 "KVM: x86: Fix recording of guest steal time / preempted status"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: pv_memory_test.area.steal_time.memslot_shows_other_memory
//
// KVM remembers the hva of the steal time. Once that is not looked up again after an
// update of the memslots, KVM writes to memory that is not the guest's any more.

@@
identifier ghc;
@@
 record_steal_time(...)
 {
 <...
- slots->generation != ghc->generation ||
+ (0 && slots) ||
  gpa != ghc->gpa
 ...>
 }
