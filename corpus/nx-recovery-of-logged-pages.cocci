// SPDX-License-Identifier: GPL-2.0-only
// title: recovery of NX huge pages zaps what is logged, and cannot be large
// fix: eb298605705a "KVM: x86/mmu: Do not recover dirty-tracked NX Huge Pages"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: kvm.nx_huge_pages=1
// shows: stats
// caught-by: nx_huge_page_test.kvm.recovery_leaves_logged_pages_alone
// hunks: 1
//
// It comes back in small pages at the next fault. Linux 6.1 still has it.

@@
@@
kvm_recover_nx_huge_pages(...)
{
<...
-	!kvm_mmu_sp_dirty_logging_enabled(kvm, sp)
+	true
...>
}
