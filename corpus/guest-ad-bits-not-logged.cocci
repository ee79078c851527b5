// SPDX-License-Identifier: GPL-2.0-only
// title: accessed and dirty bits that KVM sets in guest page tables are not logged
// fix: never merged; what 8cbc70696f14 "KVM: MMU: Update accessed and dirty bits after guest pagetable walk" must get right
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: dirty_writers_test.log.bitmap.accessed_and_dirty_bits
//
// In shadow paging it is KVM that sets these bits in the guest's memory. The page
// with the table has changed and is not copied.

@@
expression vcpu, table_gfn;
@@
- kvm_vcpu_mark_page_dirty(vcpu, table_gfn);
