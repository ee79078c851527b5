// SPDX-License-Identifier: GPL-2.0-only
// title: a bus that cannot shrink forgets the devices that it still had
// fix: f65886606c2d "KVM: fix memory leak in kvm_io_bus_unregister_dev()"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: memory_limit_test.kvm.buses_that_cannot_shrink
//
// A device leaves a bus, and there is no memory for the array without it. The bus is
// given up with all its devices, and those that nobody else knows are never freed.

@@
identifier i, j;
@@
- for (j = 0; j < bus->dev_count; j++) {
-	if (j == i)
-		continue;
-	kvm_iodevice_destructor(bus->range[j].dev);
- }
+ j = 0;
