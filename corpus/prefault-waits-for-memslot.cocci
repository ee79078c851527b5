// SPDX-License-Identifier: GPL-2.0-only
// title: a prefault waits for a memslot to go, which waits for the prefault
// fix: 3ccbf6f47098 "KVM: x86/mmu: Return -EAGAIN if userspace deletes/moves memslot during prefault"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: hang
// hunks: 1
// caught-by: prefault_test.kvm.slot_can_go_meanwhile
//
// A fault on a memslot that is being deleted or moved is tried again until the
// slot has gone. KVM_RUN leaves its SRCU section in between, so that the other
// side gets on. KVM_PRE_FAULT_MEMORY holds it for the whole range and tried again
// in there: it waits for the slot, and who deletes the slot waits for SRCU.

@@
identifier fault;
@@
- if (fault->prefetch)
- 	return -EAGAIN;
  return RET_PF_RETRY;
