// SPDX-License-Identifier: GPL-2.0-only
// title: the steal time that KVM writes is not logged
// fix: 7e2175ebd695 "KVM: x86: Fix recording of guest steal time / preempted status"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 2
// caught-by: dirty_writers_test.log.bitmap.kvm_itself
//
// KVM writes steal time with user accesses of its own, so it must mark the page
// itself. Where it does not, the destination of a migration reads an old value.

@@
expression k, ghc;
@@
- mark_page_dirty_in_slot(k, ghc->memslot, gpa_to_gfn(ghc->gpa));
