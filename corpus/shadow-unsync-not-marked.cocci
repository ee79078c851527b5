// SPDX-License-Identifier: GPL-2.0-only
// title: a page is linked out of sync, and its parent does not know
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data hang
// hunks: 1
// caught-by: guest_roots_test.kvm.edits_between_cr3_switches
//
// A sync looks only where the parents say that something below is out of sync. A page
// that is linked while it is out of sync must be marked in its new parent, or no flush
// of the guest's reaches it.

@@
@@
 __link_shadow_page(...)
 {
 <...
- if (sp->unsync_children || sp->unsync)
-	mark_unsync(sptep);
 ...>
 }
