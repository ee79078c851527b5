// SPDX-License-Identifier: GPL-2.0-only
// title: a cached hva is used across the end of a page
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: kvm_writer_test.kvm.task_priority_across_slots
// hunks: 1
//
// Two pages that are neighbours for the guest need not be that in the host. What KVM
// writes across their border goes to the end of the second one's memory and behind.

@@
expression n, ghc, offset;
@@
 __kvm_gfn_to_hva_cache_init(...)
 {
 <...
- if (n == 1)
- 	ghc->hva += offset;
- else
- 	ghc->memslot = NULL;
+ ghc->hva += offset;
 ...>
 }
