// SPDX-License-Identifier: GPL-2.0-only
// title: a compound page of the host is taken for one that is mapped as a whole
// fix: 127393fbe597 "mm: thp: kvm: fix memory corruption in KVM with THP enabled"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data stats
// hunks: 1
// caught-by: host_page_test.drop.madvise_4k_of_thp.leaves_zeroes_and_nothing_else
//
// A transparent huge page may be mapped in parts: after MADV_DONTNEED of 4K, the
// rest of it still belongs to the same compound page. KVM looked at the page and
// not at the host's page table, and mapped all of it as 2M. The guest then reads
// and writes a page that the host has taken away.

@@
expression vcpu, slot;
identifier fault;
@@
  fault->req_level = kvm_mmu_max_mapping_level(vcpu->kvm, slot, fault->gfn, fault->max_level);
+ if (fault->req_level == PG_LEVEL_4K && pfn_valid(fault->pfn) &&
+     PageTransCompound(pfn_to_page(fault->pfn)) &&
+     !lpage_info_slot(fault->gfn, slot, PG_LEVEL_2M)->disallow_lpage &&
+     fault->max_level >= PG_LEVEL_2M)
+	fault->req_level = PG_LEVEL_2M;
