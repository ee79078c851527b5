// SPDX-License-Identifier: GPL-2.0-only
// title: a cached hva of KVM's own writes outlives the memslot
// fix: never merged; what 49c7754ce570 "KVM: Add memory slot versioning and use it to provide fast guest write interface" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 2
// caught-by: kvm_writer_test.writer.end_of_interrupt.follows_the_memslots
//
// A gfn_to_hva_cache says of which generation its translation is. Where nobody looks,
// KVM writes to what was at the gpa when the cache was made.

@@
identifier slots, ghc;
@@
- if (slots->generation != ghc->generation)
- {
- 	if (__kvm_gfn_to_hva_cache_init(...))
- 		return -EFAULT;
- }
