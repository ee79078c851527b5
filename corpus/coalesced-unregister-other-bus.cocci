// SPDX-License-Identifier: GPL-2.0-only
// title: a coalesced zone of memory goes with one of ports
// fix: never merged
// files: virt/kvm/coalesced_mmio.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: panic data
// caught-by: port_bus_test.kvm.coalesced_ports_and_memory_of_one_address
// hunks: 1
//
// A zone is looked for by its address only: that of the other bus is freed, and stays
// on its bus.

@@
expression z, d;
@@
- z->pio == d->zone.pio && coalesced_mmio_in_range(d, z->addr, z->size)
+ coalesced_mmio_in_range(d, z->addr, z->size)
