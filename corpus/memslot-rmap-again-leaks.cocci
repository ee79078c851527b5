// SPDX-License-Identifier: GPL-2.0-only
// title: a second try for the first shadow root forgets the reverse maps of the first try
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak log
// hunks: 1
// caught-by: memory_limit_run_test.l2.nested_paging.waits_for_page_tables
//
// The first L2 has all memslots get their reverse maps. When memory runs out half-way,
// KVM_RUN fails, and the next one starts again: it must leave alone what is there.

@@
expression slot, i;
@@
- if (slot->arch.rmap[i])
-	continue;
