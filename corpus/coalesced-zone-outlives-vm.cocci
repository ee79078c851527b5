// SPDX-License-Identifier: GPL-2.0-only
// title: coalesced MMIO zones are not freed
// files: virt/kvm/coalesced_mmio.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: vm_churn_test.churn.devices.the_host_stays_as_it_was
//
// Each zone is a device on the bus. When it goes, explicitly or with its VM, its
// memory stays.

@@
@@
 coalesced_mmio_destructor(...)
 {
 <...
- kfree(dev);
 ...>
 }
