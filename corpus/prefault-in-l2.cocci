// SPDX-License-Identifier: GPL-2.0-only
// title: a prefault while its vCPU is in L2 takes gpas for those of L2
// fix: never merged; a check that the first version has
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// params: defaults
// shows: errno
// hunks: 1
// caught-by: prefault_test.l2.nested_paging.has_gpas_of_its_own
//
// A vCPU that is in an L2 with nested paging has shadow pages of L1's tables, which
// are walked by the gpas of L2. What user space asks for is a gpa of L1.

@@
identifier vcpu;
@@
kvm_tdp_page_prefault(struct kvm_vcpu *vcpu, ...)
{
...
- if (vcpu->arch.mmu->page_fault != kvm_tdp_page_fault)
-	return -EOPNOTSUPP;
...
}
