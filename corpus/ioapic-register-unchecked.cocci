// SPDX-License-Identifier: GPL-2.0-only
// title: a register of the I/O APIC is read that it does not have
// fix: a2c118bfab8b "KVM: Fix bounds checking in ioapic indirect register reads (CVE-2013-1798)"
// files: arch/x86/kvm/ioapic.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data log panic
// caught-by: apic_page_test.kvm.ioapic_has_no_more_pins
// hunks: 1
//
// The guest selects a register, and what it reads is what KVM has behind the table.

@@
expression e;
@@
 ioapic_read_indirect(...)
 {
 <...
- e < IOAPIC_NUM_PINS
+ e < IOAPIC_NUM_PINS || e < 0x100
 ...>
 }

@@
expression e;
@@
 ioapic_read_indirect(...)
 {
 <...
- array_index_nospec(e, IOAPIC_NUM_PINS)
+ e
 ...>
 }
