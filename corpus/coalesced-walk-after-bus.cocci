// SPDX-License-Identifier: GPL-2.0-only
// title: coalesced zones are looked for when their bus is gone
// fix: 5d3c4c79384a "KVM: Stop looking for coalesced MMIO zones if the bus is destroyed"
// files: virt/kvm/coalesced_mmio.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: panic
// hunks: 1
// caught-by: memory_limit_test.kvm.buses_that_cannot_shrink
//
// Without memory for a smaller bus all zones are destroyed, and the walk over their list
// goes on with the next one, which is freed.

@@
identifier dev, r;
@@
  kvm_iodevice_destructor(&dev->dev);
- if (r)
-	break;
