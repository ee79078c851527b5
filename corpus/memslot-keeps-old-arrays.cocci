// SPDX-License-Identifier: GPL-2.0-only
// title: a slot that goes leaves arrays behind that it got meanwhile
// fix: bda44d844758 "KVM: Ensure local memslot copies operate on up-to-date arch-specific data"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: sleeping_fault_test.slot.deleted.changes_while_the_first_l2_comes
// hunks: 1
//
// While an update waits for all vCPUs to leave the old memslots, the first vCPU that
// needs shadow pages gives reverse maps to all slots, also to the copy that is marked
// invalid. The update goes on with the slot as it was before, and frees what that had.

@@
identifier old;
@@
- old->arch = invalid_slot->arch;
