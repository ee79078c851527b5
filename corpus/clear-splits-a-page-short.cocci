// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_CLEAR_DIRTY_LOG splits up to the last page that is cleared, and not that one
// fix: 1aa4bb916808 "KVM: x86/mmu: Fix off-by-1 when splitting huge pages during CLEAR"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: stats
// caught-by: dirty_split_test.kvm.one_page_splits_its_own_large_page
// hunks: 1
//
// With logs that are initially all set, a large page is split when some of it is
// cleared. The end of that range is exclusive; the last page's number is not. Linux
// 6.1 still has it. The shadow MMU counts otherwise, and does not mind.

@@
@@
kvm_arch_mmu_enable_log_dirty_pt_masked(...)
{
<...
	kvm_mmu_try_split_huge_pages(kvm, slot, start,
-		end + 1,
+		end,
		PG_LEVEL_4K);
...>
}
