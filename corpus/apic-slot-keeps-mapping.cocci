// SPDX-License-Identifier: GPL-2.0-only
// title: the page of the APIC stays mapped in a VMM whose VM is gone
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: intel
// shows: leak
// caught-by: vm_teardown_test.kvm.leaves_no_mappings_in_its_vmm
// hunks: 1

@@
@@
- 		__x86_set_memory_region(kvm, APIC_ACCESS_PAGE_PRIVATE_MEMSLOT,
- 					0, 0);
