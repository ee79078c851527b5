// SPDX-License-Identifier: GPL-2.0-only
// title: a guest page table does not forbid a large page around it
// fix: never merged; what 05da45583de9 "KVM: MMU: large page support" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data stats
// hunks: 2
// caught-by: large_page_test.kvm.page_table_inside_a_large_page
//
// Shadow paging must see a guest's write to a page that it shadows, so the 2M
// around it must not be mapped by one writable SPTE.

@@
expression slot, gfn;
@@
  {
  ...
- kvm_mmu_gfn_disallow_lpage(slot, gfn);
  ...
  }

@@
expression slot, gfn;
@@
  {
  ...
- kvm_mmu_gfn_allow_lpage(slot, gfn);
  ...
  }
