// SPDX-License-Identifier: GPL-2.0-only
// title: a page that KVM has mapped and written to is not logged
// fix: never merged; what e45adf665a53 "KVM: Introduce a new guest mapping API" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd
// shows: data
// hunks: 1
// caught-by: nested_memslot_test.kvm.state_of_l2_is_in_the_dirty_log
//
// The VMCB of an L1 hypervisor is mapped while KVM writes L2's state to it.

@@
expression vcpu, map;
@@
- kvm_vcpu_mark_page_dirty(vcpu, map->gfn);
+ ;
