// SPDX-License-Identifier: GPL-2.0-only
// title: steal time is written where the guest wanted it first
// fix: 901d3765fa80 "KVM: x86: revalidate steal time cache if MSR value changes"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: kvm_writer_test.writer.steal_time.goes_where_it_is_told
// hunks: 2
//
// KVM keeps the hva that belongs to the gpa in MSR_KVM_STEAL_TIME until the memslots
// change. A guest that writes another gpa to the MSR gets its steal time at the old one.

@@
expression A, G, C;
@@
- A || G != C->gpa
+ A
