// SPDX-License-Identifier: GPL-2.0-only
// title: a read-only large page is not split when its slot is logged
// fix: 404381c5839d "KVM: MMU: drop read-only large sptes when creating lower level sptes"
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm.eager_page_split=0
// shows: hang
// hunks: 1
// caught-by: dirty_split_test.kvm.read_only_large_pages_can_be_written
//
// The guest has read huge pages that the host has only for reading: of zeroes, or
// shared with a child. Write protection for dirty logging has nothing to do there.
// The first write must map 4K, and finds a large SPTE in the way that nobody drops:
// the vCPU takes the same fault for ever. The old bug was in shadow paging; here it
// is brought to the TDP MMU.

@@
identifier iter;
@@
- is_shadow_present_pte(iter.old_spte) && is_large_pte(iter.old_spte)
+ is_shadow_present_pte(iter.old_spte) && is_large_pte(iter.old_spte) && is_writable_pte(iter.old_spte)
