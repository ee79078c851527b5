// SPDX-License-Identifier: GPL-2.0-only
// title: what a device of KVM's own has for a wide read is overwritten
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: apic_page_test.kvm.wide_reads_of_the_ioapic
// hunks: 1
//
// KVM asks for each 8 bytes, and puts all of them where the first ones belong.

@@
@@
 vcpu_mmio_read(...)
 {
 <...
- v += n;
 ...>
 }
