// SPDX-License-Identifier: GPL-2.0-only
// title: an ioeventfd of any length is not found
// fix: 8f4216c7d289 "kvm: fix zero length mmio searching"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: exit
// hunks: 1
// caught-by: mmio_bus_test.kvm.ioeventfd_of_any_length_takes_all_writes
//
// Such an ioeventfd has length 0 on the bus. A search that compares the ends of the two
// ranges finds that the access ends behind it, and looks elsewhere: the write exits.

@@
identifier r1, r2, addr1, addr2;
@@
kvm_io_bus_cmp(const struct kvm_io_range *r1, const struct kvm_io_range *r2)
{
...
- if (r2->len) {
-	addr1 += r1->len;
-	addr2 += r2->len;
- }
+ addr1 += r1->len;
+ addr2 += r2->len;
...
}
