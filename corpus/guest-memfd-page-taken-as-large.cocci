// SPDX-License-Identifier: GPL-2.0-only
// title: a page of a guest_memfd is mapped as if all of 2M around it were the file's
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: data exit
// caught-by: guest_memfd_test.vm.mappable.large_slot_shows_small_pages
// hunks: 1
//
// The file says how large the page is that it has given; what the memslot allows is
// another matter.

@@
@@
kvm_mmu_faultin_pfn_gmem(...)
{
...
-	fault->max_level = kvm_max_level_for_order(max_order);
...
}
