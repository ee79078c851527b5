// SPDX-License-Identifier: GPL-2.0-only
// title: the fast page fault makes an SPTE writable and does not log the page
// fix: never merged; what c7ba5b48cc8d "KVM: MMU: fast path of handling guest page fault" must get right
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm.tdp_mmu=0
// shows: data
// hunks: 1
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// A page that was write-protected for dirty logging is made writable again without
// mmu_lock. Whoever does so must set the page's bit: here it is lost, and with it
// every write to a page that was logged and cleared once.

@@
expression new_spte, old_spte;
identifier vcpu, fault;
@@
- if (is_writable_pte(new_spte) && !is_writable_pte(old_spte))
-	mark_page_dirty_in_slot(vcpu->kvm, fault->slot, fault->gfn);
