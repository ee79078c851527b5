// SPDX-License-Identifier: GPL-2.0-only
// title: a slot that cannot be created leaves its dirty bitmap behind
// fix: c87661f855c3 "KVM: Free new dirty bitmap if creating a new memslot fails"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: memslot_limits_test.kvm.failed_creation_leaves_no_bitmap
//
// The bitmap is allocated before the architecture has its say. When that refuses, for a
// gfn that is out of reach, "there was an old slot" is asked the wrong way and the bitmap
// of a new one is forgotten.

@@
expression r, new, old;
@@
- if (r && new && new->dirty_bitmap && (!old || !old->dirty_bitmap))
+ if (r && new && new->dirty_bitmap && old && !old->dirty_bitmap)
	kvm_destroy_dirty_bitmap(new);
