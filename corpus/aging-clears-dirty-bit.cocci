// SPDX-License-Identifier: GPL-2.0-only
// title: aging a page in the shadow MMU clears the bit beside the accessed bit
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// params: kvm_amd.npt=0
// shows: data
// caught-by: aging_test.kvm.damon_sees_what_is_used
// hunks: 1
//
// Since 6.15 it does so without the MMU lock, by the bit's number, which ffs() counts
// from 1.

@@
@@
kvm_rmap_age_gfn_range(...)
{
<...
	clear_bit(
-	(ffs(shadow_accessed_mask) - 1),
+	ffs(shadow_accessed_mask),
	...)
...>
}
