// SPDX-License-Identifier: GPL-2.0-only
// title: roots stay as they are when PDPTEs change
// fix: 6b123c3a89a9 "KVM: x86/mmu: Reconstruct shadow page root if the guest PDPTEs is changed"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.mode.pae.edits_in_one_mode
//
// With PAE the four PDPTEs are loaded by a CR3 write, and KVM's four roots are made
// from them. A guest that changes a PDPTE and writes the same CR3 again keeps its old
// roots.

@@
@@
 load_pdptrs(...)
 {
 <...
- if (!tdp_enabled && memcmp(mmu->pdptrs, pdpte, sizeof(mmu->pdptrs)))
-	kvm_mmu_free_roots(vcpu->kvm, mmu, KVM_MMU_ROOT_CURRENT);
 ...>
 }
