// SPDX-License-Identifier: GPL-2.0-only
// title: the CPU keeps an APIC-access page that the host has given up
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: apic_page_test.kvm.host_exchanges_the_page_behind_it
// hunks: 1
//
// The guest then reads memory where its APIC was, and writes there.

@@
identifier kvm;
@@
- 		kvm_make_all_cpus_request(kvm, KVM_REQ_APIC_PAGE_RELOAD);
+ 		;
