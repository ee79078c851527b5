// SPDX-License-Identifier: GPL-2.0-only
// title: KVM writes the clock across the end of a page
// fix: never merged
// files: virt/kvm/pfncache.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: kvm_writer_test.kvm.clock_across_the_end_of_a_slot
// hunks: 2
//
// KVM has the one page mapped, and what comes after it in the host is anybody's.

@@
expression gpa, len;
@@
- (gpa & ~PAGE_MASK) + len > PAGE_SIZE
+ 0

@@
expression o, len;
@@
- o + len > PAGE_SIZE
+ 0
