// SPDX-License-Identifier: GPL-2.0-only
// title: KVM itself writes to read-only slots
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: kvm_writer_test.kvm.one_write_leaves_a_readonly_slot_alone
//
// A slot's hva may be asked for with or without a view to writing. Who writes a page
// for the guest, and asks for the latter, changes what the guest was to have read-only.

@@
identifier memslot, gfn, addr;
@@
__kvm_write_guest_page(...)
{
...
- addr = gfn_to_hva_memslot(memslot, gfn);
+ addr = gfn_to_hva_memslot_prot(memslot, gfn, NULL);
...
}
