// SPDX-License-Identifier: GPL-2.0-only
// title: recovery of NX huge pages zaps without a flush
// fix: 048f49809c52 "KVM: x86/mmu: Ensure TLBs are flushed for TDP MMU during NX zapping"
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// shows: stats
// hunks: 1
// caught-by: nx_huge_page_test.kvm.recovered_pages_are_large_again
//
// The page tables are freed while vCPUs may still have them in their TLBs.

@@
@@
  kvm_tdp_mmu_zap_sp(...)
  {
  ...
- return true;
+ return false;
  }
