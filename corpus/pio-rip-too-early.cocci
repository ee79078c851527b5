// SPDX-License-Identifier: GPL-2.0-only
// title: RIP moves on before user space has done the port access
// fix: 45def77ebf79 "KVM: x86: update %rip after emulating IO"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 2
// caught-by: mmio_emulation_test.kvm.rip_set_at_a_port_access
//
// OUT and IN exit with RIP already behind the instruction, and nothing is left to do
// when KVM_RUN comes back. User space that saves the vCPU there, or sends it elsewhere,
// sees an access that is not complete as one that is.

@@
identifier vcpu;
@@
complete_fast_pio_out(struct kvm_vcpu *vcpu)
{
...
- if (unlikely(!kvm_is_linear_rip(vcpu, vcpu->arch.pio.linear_rip)))
-	return 1;
-
- return kvm_skip_emulated_instruction(vcpu);
+ return 1;
}

@@
identifier vcpu;
@@
kvm_fast_pio_out(struct kvm_vcpu *vcpu, ...)
{
<...
- vcpu->arch.pio.linear_rip = kvm_get_linear_rip(vcpu);
  vcpu->arch.complete_userspace_io = complete_fast_pio_out;
+ kvm_skip_emulated_instruction(vcpu);
...>
}
