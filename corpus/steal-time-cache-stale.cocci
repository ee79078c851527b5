// SPDX-License-Identifier: GPL-2.0-only
// title: steal time is written where its memslot was
// fix: c3c28d24d910 "KVM: x86: do not report preemption if the steal time cache is stale"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 2
// caught-by: kvm_writer_test.writer.steal_time.follows_the_memslots
//
// The cached hva of the steal time is used without a look at the generation of the
// memslots: what the host has there now is overwritten.

@@
identifier slots, ghc;
expression e;
@@
- slots->generation != ghc->generation || e
+ e
