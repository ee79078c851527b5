// SPDX-License-Identifier: GPL-2.0-only
// title: a table is linked before what is below it is synced
// fix: 65855ed8b034 "KVM: X86: Synchronize the shadow pagetable before link it"
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data hang
// hunks: 1
// caught-by: guest_roots_test.kvm.edits_between_cr3_switches
//
// A guest that makes an upper entry present need not flush. When the table that it
// leads to is shadowed already, and out of sync below, then it must be synced before it
// is linked; otherwise the guest goes by entries that it has long changed.

@@
@@
 FNAME__fetch__(...)
 {
 <...
- if (sp != ERR_PTR(-EEXIST)) {
-	if (sp->unsync_children && mmu_sync_children(vcpu, sp, false))
-		return RET_PF_RETRY;
- }
 ...>
 }
