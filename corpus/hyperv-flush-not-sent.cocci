// SPDX-License-Identifier: GPL-2.0-only
// title: a hypercall that flushes the TLBs of some vCPUs flushes none
// files: arch/x86/kvm/hyperv.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// caught-by: guest_shootdown_test.flush.hyperv_space.edits_count_for_the_other_vcpu
// hunks: 1
//
// A guest that runs on Hyper-V's interface has other vCPUs flushed by a hypercall. KVM
// finds out which ones are meant, says that it is done, and asks none of them.

@@
identifier vcpu_mask;
@@
 kvm_hv_flush_tlb(...)
 {
 <...
-	kvm_make_vcpus_request_mask(kvm, KVM_REQ_TLB_FLUSH_GUEST, vcpu_mask);
 ...>
 }
