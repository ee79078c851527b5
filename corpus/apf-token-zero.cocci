// SPDX-License-Identifier: GPL-2.0-only
// title: the first absent page that vCPU 0 is told of has the token that says "none"
// fix: 6f3c1fc53d86 "KVM: x86/mmu: make apf token non-zero to fix bug"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: async_pf_guest_test.kvm.each_page_is_announced
//
// When that page has come, KVM takes the place of its token for free, and writes the
// next one over it: the guest waits for ever.

@@
@@
 alloc_apf_token(...)
 {
 <...
- if (id << 12 == 0)
- 	vcpu->arch.apf.id = 1;
 ...>
 }
