// SPDX-License-Identifier: GPL-2.0-only
// title: a #PF that KVM gives to the guest leaves what KVM has for its address
// fix: ee1fa209f5e5 "KVM: x86: Sync SPTEs when injecting page/EPT fault into L1"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: access_test.kvm.fault_flushes_its_address
//
// A CPU forgets the translation that it has faulted on.
@@
identifier vcpu, fault, fault_mmu;
expression C;
@@
- if (C)
- 	kvm_mmu_invalidate_gva(vcpu, fault_mmu, fault->address, fault_mmu->root.hpa);
