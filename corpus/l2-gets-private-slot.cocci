// SPDX-License-Identifier: GPL-2.0-only
// title: an L2 gets the memory that KVM has behind the APIC
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_mmio_test.l2.nested_paging.the_apic_is_no_memory
// hunks: 1
//
// Accesses of an L2 to the APIC of its L1 are not the CPU's to handle, but KVM's.

@@
identifier slot, vcpu;
@@
  if (!kvm_is_visible_memslot(slot)) {
- 	if (is_guest_mode(vcpu)) {
- 		...
- 		return RET_PF_CONTINUE;
- 	}
  	...
  }
