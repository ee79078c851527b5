// SPDX-License-Identifier: GPL-2.0-only
// title: a guest whose local APIC is off loses the news of a page that has come
// fix: 2f15d027c05f "KVM: x86: Properly handle APF vs disabled LAPIC situation"
// files: arch/x86/kvm/x86.c arch/x86/kvm/lapic.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: hang
// hunks: 2
// caught-by: async_pf_guest_test.kvm.hears_when_its_apic_is_on
//
// The token is written, and its interrupt goes nowhere. The guest, which does not know,
// does not free the place, and hears of no other page.

@@
@@
 kvm_arch_can_dequeue_async_page_present(...)
 {
 <...
- return kvm_lapic_enabled(vcpu) && apf_pageready_slot_free(vcpu);
+ return apf_pageready_slot_free(vcpu);
 ...>
 }

@@
@@
 apic_set_spiv(...)
 {
 <...
- kvm_make_request(KVM_REQ_APF_READY, apic->vcpu);
+ ;
 ...>
 }
