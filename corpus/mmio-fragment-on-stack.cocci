// SPDX-License-Identifier: GPL-2.0-only
// title: an MMIO write in two parts keeps a pointer to the emulator's stack
// fix: 0b16e69d17d8 "KVM: x86: Use scratch field in MMIO fragment to hold small write values"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: mmio_gap_test.gap.below_1m.crossing_into_the_next_page_exits_for_each
//
// What a write to a gap has as data may be a variable on the stack of KVM's emulator. A
// write across a page's end exits twice; when the second exit is prepared the first one
// has been in user space and the stack is gone.

@@
expression frag, v, bytes, write;
@@
- if (write && bytes <= 8u) {
-	frag->val = 0;
-	frag->data = &frag->val;
-	memcpy(&frag->val, v, bytes);
- } else {
-	frag->data = v;
- }
+ frag->data = v;
