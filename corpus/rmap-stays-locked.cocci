// SPDX-License-Identifier: GPL-2.0-only
// title: a reverse map stays locked when one of its pages is found young
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: hang
// caught-by: aging_test.kvm.damon_sees_what_is_used
// hunks: 1
//
// Since 6.15 reverse maps have a lock of their own, a bit in their pointer, for those
// that look who is young without the MMU lock.

@@
@@
kvm_rmap_age_gfn_range(...)
{
<...
	if (test_only) {
-		kvm_rmap_unlock_readonly(rmap_head, rmap_val);
		return true;
	}
...>
}
