// SPDX-License-Identifier: GPL-2.0-only
// title: PDPTEs are loaded with their reserved bits set
// fix: 16cfacc80857 "KVM: x86: Manually calculate reserved bits when loading PDPTRS"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: guest_modes_test.kvm.reserved_bits_of_pdptes
//
// A CR3 write that loads a present PDPTE with a reserved bit is a #GP. Those above the
// guest's MAXPHYADDR are not all there are.

@@
@@
- pdptr_rsvd_bits(vcpu)
+ vcpu->arch.reserved_gpa_bits
