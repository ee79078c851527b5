// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation leaves the last page of its range mapped
// fix: never merged; what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data stats
// hunks: 1
// caught-by: host_page_test.drop.madvise_4k.leaves_zeroes_and_nothing_else
//
// A range of host addresses becomes a range of gfns. With the end one too low, a
// range of one page is empty.

@@
expression hva_end, slot;
@@
- hva_to_gfn_memslot(hva_end + PAGE_SIZE - 1, slot)
+ hva_to_gfn_memslot(hva_end - 1, slot)
