// SPDX-License-Identifier: GPL-2.0-only
// title: the local APIC's page stays where the guest has moved it from
// fix: never merged
// files: arch/x86/kvm/lapic.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: exit data
// caught-by: apic_page_test.kvm.is_where_the_guest_has_moved_it
// hunks: 1
//
// The guest gives its APIC another page, and KVM goes on answering at the default
// one.

@@
identifier apic, addr;
@@
 apic_mmio_in_range(struct kvm_lapic *apic, gpa_t addr)
 {
 <...
- apic->base_address
+ APIC_DEFAULT_PHYS_BASE
 ...>
 }
