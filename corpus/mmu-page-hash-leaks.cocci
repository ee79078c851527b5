// SPDX-License-Identifier: GPL-2.0-only
// title: the hash table of a VM's shadow pages is not freed
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: kvm_amd.npt=0
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.mappings.the_host_stays_as_it_was
// hunks: 1
//
// Since 6.16 a VM gets it when it has shadow pages, at once or for its first L2. It is
// too large for the caches of kmalloc().

@@
@@
kvm_mmu_uninit_vm(...)
{
...
-	kvfree(kvm->arch.mmu_page_hash);
...
}
