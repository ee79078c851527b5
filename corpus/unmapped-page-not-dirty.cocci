// SPDX-License-Identifier: GPL-2.0-only
// title: a page that the guest wrote is not marked dirty when it is unmapped
// fix: 9ed5520dd3c9 "KVM: MMU: fix page dirty tracking lost while sync page" was one such
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: mmu_notifier_test.lazily_freed.of_4k.what_the_guest_wrote_is_not_clean
//
// What the guest wrote is in the SPTE's dirty bit only. KVM hands it on to the
// host's page when it drops the SPTE; else reclaim takes the page for clean, and
// throws the guest's data away.

@@
identifier page;
@@
  kvm_set_page_dirty(...)
  {
- if (kvm_is_ad_tracked_page(page))
-	SetPageDirty(page);
  }
