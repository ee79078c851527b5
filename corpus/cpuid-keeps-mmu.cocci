// SPDX-License-Identifier: GPL-2.0-only
// title: CPUID that comes after the registers does not count for page tables
// fix: 49c6f8756cdf "KVM: x86: Force all MMUs to reinitialize if guest CPUID is modified"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: maxphyaddr_test.guest.narrowed_late.faults_on_bits_beyond
//
// Which bits of page tables are reserved depends on the guest's CPUID. The MMU keeps
// what it has worked out while nothing changes that it looks at, and CPUID is not there.

@@
@@
 kvm_mmu_after_set_cpuid(...)
 {
 <...
(
- vcpu->arch.root_mmu.root_role.word = 0;
|
- vcpu->arch.root_mmu.cpu_role.ext.valid = 0;
)
 ...>
 }
