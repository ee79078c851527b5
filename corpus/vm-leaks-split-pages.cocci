// SPDX-License-Identifier: GPL-2.0-only
// title: the spare pages with which a VM splits large pages are not freed
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.l2.the_host_stays_as_it_was
// hunks: 1
//
// For splitting large pages of shadow page tables ahead of time a VM keeps pages in
// stock. Only an L2's large page in a slot that gets a dirty log makes it stock up, and
// at the VM's end nobody frees the rest.

@@
@@
 mmu_free_vm_memory_caches(...)
 {
 <...
-	kvm_mmu_free_memory_cache(&kvm->arch.split_shadow_page_cache);
 ...>
 }
