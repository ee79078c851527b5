// SPDX-License-Identifier: GPL-2.0-only
// title: a bus that cannot shrink destroys the device that leaves, too
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: log panic
// hunks: 1
// caught-by: memory_limit_test.kvm.buses_that_cannot_shrink
//
// A device leaves a bus, and there is no memory for the array without it. All that is on
// the bus is destroyed, and the one that leaves once more by who had it leave.

@@
identifier i, j;
@@
  for (j = 0; j < bus->dev_count; j++) {
-	if (j == i)
-		continue;
	kvm_iodevice_destructor(bus->range[j].dev);
  }
