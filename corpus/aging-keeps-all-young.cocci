// SPDX-License-Identifier: GPL-2.0-only
// title: the TDP MMU does not let pages age
// fix: never merged
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: aging_test.kvm.damon_sees_what_is_used
// hunks: 1
//
// Since 6.15 accessed bits are cleared without the MMU lock. What has once been used
// looks used for ever.

@@
@@
kvm_tdp_mmu_age_spte(...)
{
...
-	if (__tdp_mmu_set_spte_atomic(kvm, iter, new_spte))
-		return;
+	if (!new_spte)
+		return;
...
}
