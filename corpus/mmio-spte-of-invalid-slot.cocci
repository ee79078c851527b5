// SPDX-License-Identifier: GPL-2.0-only
// title: a fault in a slot that is going away makes an MMIO SPTE
// fix: e0c378684b65 "KVM: x86/mmu: Retry page faults that hit an invalid memslot"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: panic
// hunks: 1
// caught-by: memslot_wait_test.slot.deleted_unused_read.is_no_gap_before_it_is_gone
//
// While a slot is deleted or moved it is marked invalid first. A vCPU that faults on it
// then must try again; going on finds no memory behind it and puts an MMIO SPTE over
// the mapping that has yet to be zapped.

@@
expression slot;
@@
- if (slot && (slot->flags & KVM_MEMSLOT_INVALID))
-	return RET_PF_RETRY;
