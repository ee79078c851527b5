// SPDX-License-Identifier: GPL-2.0-only
// title: a slot may be moved onto another one
// fix: 5419369ed6bd "KVM: Fix user memslot overlap check" (of the same kind)
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: panic
// hunks: 1
// caught-by: memslot_limits_test.kvm.overlap_is_eexist
//
// Only slots that are created are checked for an overlap with others. After a move, one
// gfn has two slots.

@@
expression slots, id, a, b;
@@
- if ((change == KVM_MR_CREATE || change == KVM_MR_MOVE) && kvm_check_memslot_overlap(slots, id, a, b))
+ if (change == KVM_MR_CREATE && kvm_check_memslot_overlap(slots, id, a, b))
	return -EEXIST;
