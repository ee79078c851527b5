// SPDX-License-Identifier: GPL-2.0-only
// title: KVM's own mapping of a page is made while the host takes the page away
// fix: 58cd407ca4c6 "KVM: Fix multiple races in gfn=>pfn cache refresh"
// files: virt/kvm/pfncache.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 2
// caught-by: kvm_writer_race_test.mapping.clock.is_not_made_of_a_page_that_goes
//
// What the host does between KVM's look at its page table and the end of the work goes
// unnoticed: kvmclock is written to a page that is free.

@@
@@
 mmu_notifier_retry_cache(...)
 {
 <...
- if (kvm->mn_active_invalidate_count)
- 	return true;
 ...>
- return kvm->mmu_invalidate_seq != mmu_seq;
+ return false;
 }
