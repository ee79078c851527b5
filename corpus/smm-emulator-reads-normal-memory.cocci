// SPDX-License-Identifier: GPL-2.0-only
// title: what KVM reads for a vCPU in SMM, it reads outside
// fix: 54bf36aac520 "KVM: x86: use vcpu-specific functions to read/write/translate GFNs"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: smm_access_test.memory.in_both.is_accessed_by_kvm_as_by_the_guest
//
// An instruction that is emulated because one operand is in a gap may have another one
// in memory. Read through the VM's slots instead of the vCPU's, that is the memory of
// the normal address space.

@@
identifier vcpu;
expression list what;
@@
read_emulate(struct kvm_vcpu *vcpu, ...)
{
<...
- kvm_vcpu_read_guest(vcpu, what)
+ kvm_read_guest(vcpu->kvm, what)
...>
}
