// SPDX-License-Identifier: GPL-2.0-only
// title: KVM believes the index that user space left in the ring of coalesced MMIO
// fix: b60fe990c6b0 "KVM: coalesced_mmio: add bounds checking"
// files: virt/kvm/coalesced_mmio.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: exit
// hunks: 1
// caught-by: mmio_bus_test.kvm.coalesced_write_exits_when_the_ring_makes_no_sense
//
// The ring is a page that user space can write to. An index behind its end makes KVM
// write a guest's data to any place after that page.

@@
expression dev, insert;
@@
- if (!coalesced_mmio_has_room(dev, insert) || insert >= KVM_COALESCED_MMIO_MAX) {
+ if (!coalesced_mmio_has_room(dev, insert)) {
  ...
  }
