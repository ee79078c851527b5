// SPDX-License-Identifier: GPL-2.0-only
// title: the ring of coalesced MMIO does not say that an entry is a port's
// fix: never merged
// files: virt/kvm/coalesced_mmio.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: port_bus_test.kvm.coalesced_ports_are_in_the_ring
// hunks: 1
//
// User space takes the port for an address in memory.

@@
expression ring, insert, dev;
@@
- ring->coalesced_mmio[insert].pio = dev->zone.pio;
+ ring->coalesced_mmio[insert].pio = 0;
