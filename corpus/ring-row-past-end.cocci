// SPDX-License-Identifier: GPL-2.0-only
// title: pages in a row, reset together, may end one behind the slot
// fix: never merged; what fb04a1eddb1a "KVM: X86: Implement ring-based dirty memory tracking" must get right
// files: virt/kvm/dirty_ring.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm.tdp_mmu=0
// shows: panic
// hunks: 1
// caught-by: dirty_ring_test.kvm.garbage_behind_the_last_page_is_ignored
//
// User space writes the entries that are reset. What lies behind the slot's last page
// has no reverse mapping, and KVM looks for it behind the end of the array.

@@
expression memslot, offset, mask;
@@
- offset + __fls(mask) >= memslot->npages
+ offset + __fls(mask) > memslot->npages
