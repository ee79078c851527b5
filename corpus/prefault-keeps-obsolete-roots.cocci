// SPDX-License-Identifier: GPL-2.0-only
// title: a prefault is tried for ever when the vCPU's roots are obsolete
// fix: 20a6cff3b283 "KVM: x86/mmu: Check and free obsolete roots in kvm_mmu_reload()"
// files: arch/x86/kvm/mmu.h
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: hang
// caught-by: prefault_test.kvm.roots_may_be_gone
// hunks: 1
//
// Roots go with a memslot, and a vCPU gets new ones before it enters the guest. A
// prefault does not enter it, and a fault in an obsolete root is only retried.

@@
@@
kvm_mmu_reload(...)
{
-	if (kvm_check_request(KVM_REQ_MMU_FREE_OBSOLETE_ROOTS, vcpu))
-		kvm_mmu_free_obsolete_roots(vcpu);
...
}
