// SPDX-License-Identifier: GPL-2.0-only
// title: the local APIC's registers are in its page in x2APIC mode, too
// fix: d1766202779e "x86/kvm/lapic: always disable MMIO interface in x2APIC mode"
// files: arch/x86/kvm/lapic.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: apic_page_test.hole.reads_all_ones.where_the_apic_has_no_page
// hunks: 2
//
// In x2APIC mode a CPU has its APIC's registers as MSRs only, and nothing at the
// page's gpa.

@@
expression apic;
@@
- !kvm_apic_hw_enabled(apic) || apic_x2apic_mode(apic)
+ !kvm_apic_hw_enabled(apic)
