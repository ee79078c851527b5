// SPDX-License-Identifier: GPL-2.0-only
// title: ioeventfds count for the limit of devices on a bus
// fix: 6ea34c9b78c1 "kvm: exclude ioeventfd from counting kvm_io_range limit"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: bus_limits_test.kvm.more_ioeventfds_than_devices
// hunks: 1
//
// A VM may have a thousand devices on a bus. Ioeventfds, of which a VM with many
// queues has more, are limited by its fds, but they are counted.

@@
expression bus;
@@
 kvm_io_bus_register_dev(...)
 {
 <...
- bus->dev_count - bus->ioeventfd_count
+ bus->dev_count
 ...>
 }
