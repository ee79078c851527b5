// SPDX-License-Identifier: GPL-2.0-only
// title: ioeventfds of a port and of memory collide
// fix: never merged
// files: virt/kvm/eventfd.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: port_bus_test.kvm.ioeventfds_of_a_port_and_of_memory
// hunks: 1
//
// An ioeventfd at a port is taken for one at the gpa of the same number.

@@
identifier p, q;
@@
 ioeventfd_check_collision(...)
 {
 <...
- q->bus_idx == p->bus_idx && q->addr == p->addr
+ q->addr == p->addr
 ...>
 }
