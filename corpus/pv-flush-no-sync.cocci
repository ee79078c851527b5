// SPDX-License-Identifier: GPL-2.0-only
// title: a flush that a guest asks for in its steal time does not sync
// fix: b53e84eed08b "KVM: x86: Unload MMU on guest TLB flush if TDP disabled to force MMU sync"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: data
// hunks: 1
// caught-by: kvm_writer_test.kvm.flush_by_steal_time_is_one
//
// One vCPU of a guest may leave a note for another one, that does not run, to flush
// its TLB. KVM does, but with shadow paging its own copy of the page tables is what must
// be brought up to date.

@@
expression E;
@@
 if (E & KVM_VCPU_FLUSH_TLB)
- 	kvm_vcpu_flush_tlb_guest(vcpu);
+ 	static_call(kvm_x86_flush_tlb_guest)(vcpu);
