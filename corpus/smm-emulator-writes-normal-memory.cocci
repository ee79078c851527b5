// SPDX-License-Identifier: GPL-2.0-only
// title: what KVM writes for a vCPU in SMM, it writes outside
// fix: 54bf36aac520 "KVM: x86: use vcpu-specific functions to read/write/translate GFNs"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data exit
// hunks: 1
// caught-by: smm_access_test.memory.in_both.is_accessed_by_kvm_as_by_the_guest
//
// As smm-emulator-reads-normal-memory, in the other direction: a string instruction in
// SMM that reads from a gap writes to memory of the normal address space.

@@
identifier vcpu;
expression list what;
@@
emulator_write_phys(struct kvm_vcpu *vcpu, ...)
{
<...
- kvm_vcpu_write_guest(vcpu, what)
+ kvm_write_guest(vcpu->kvm, what)
...>
}
