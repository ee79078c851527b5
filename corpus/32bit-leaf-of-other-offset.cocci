// SPDX-License-Identifier: GPL-2.0-only
// title: a store to a 32-bit page table zaps another entry's shadow
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.kvm.directory_is_its_own_page_table
//
// An entry of 4 bytes has one of 8 in its shadow. Here that is heeded for directories
// only. Stores to a page table are rarely seen, since it may go out of sync; they are
// where the page is a directory as well.

@@
@@
 get_written_sptes(...)
 {
 <...
- page_offset <<= 1;
 if (level == PT32_ROOT_LEVEL) {
+ page_offset <<= 1;
 ...
 }
 ...>
 }
