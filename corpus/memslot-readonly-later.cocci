// SPDX-License-Identifier: GPL-2.0-only
// title: a slot may be made read-only, or writable, while it is in use
// fix: 75d61fbcf563 "KVM: set_memory_region: Disallow changing read-only attribute later"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// hunks: 1
// caught-by: memslot_limits_test.kvm.what_an_existing_slot_may_not_do_is_einval
//
// A change of flags zaps nothing. A slot that is made read-only goes on being written to
// through what is mapped, so KVM has to refuse.

@@
expression a, b, m, o;
@@
- if (a || b || ((m->flags ^ o->flags) & KVM_MEM_READONLY))
+ if (a || b)
	return -EINVAL;
