// SPDX-License-Identifier: GPL-2.0-only
// title: KVM's own mapping of a page does not wait for an invalidation that is under way
// fix: 58cd407ca4c6 "KVM: Fix multiple races in gfn=>pfn cache refresh"
// files: virt/kvm/pfncache.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: kvm_writer_race_test.mapping.clock.is_not_made_of_a_page_that_goes
//
// An invalidation that has begun before KVM looks is not over: the page is still there.

@@
@@
 mmu_notifier_retry_cache(...)
 {
 <...
- if (kvm->mn_active_invalidate_count)
- 	return true;
 ...>
 }
