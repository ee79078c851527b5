// SPDX-License-Identifier: GPL-2.0-only
// title: reserved bits of the guest's page tables are those of the host
// fix: never merged
// files: arch/x86/kvm/cpuid.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: maxphyaddr_test.guest.narrower.faults_on_bits_beyond
//
// A guest may have fewer physical address bits than its host, and with shadow paging
// KVM alone decides which bits of its page table entries are reserved. By the host's
// width the bits in between are address bits: what must be a page fault is an access
// to a gap that the guest cannot have.

@@
expression vcpu;
@@
- rsvd_bits(cpuid_maxphyaddr(vcpu), 63)
+ rsvd_bits(boot_cpu_data.x86_phys_bits, 63)
