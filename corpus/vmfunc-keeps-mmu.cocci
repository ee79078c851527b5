// SPDX-License-Identifier: GPL-2.0-only
// title: VMFUNC leaves the MMU with the mode of the old EPTP
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.l2_switches_its_eptp_by_vmfunc
// hunks: 1
//
// Another EPTP may have A/D bits on, or off.

@@
identifier vcpu, vmcs12, new_eptp;
@@
  vmcs12->ept_pointer = new_eptp;
- nested_ept_new_eptp(vcpu);
+ kvm_mmu_new_pgd(vcpu, new_eptp);
