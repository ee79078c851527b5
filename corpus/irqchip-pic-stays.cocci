// SPDX-License-Identifier: GPL-2.0-only
// title: the PIC stays when there is no memory for the IOAPIC
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd
// shows: leak
// caught-by: memory_limit_test.kvm.chips_are_created_or_not
// hunks: 1
//
// A second KVM_CREATE_IRQCHIP of the same VM then makes another one, and the first is
// lost, though still on the bus.

@@
@@
  r = kvm_ioapic_init(...);
  if (r) {
- 	kvm_pic_destroy(...);
  	...
  }
