// SPDX-License-Identifier: GPL-2.0-only
// title: a mapping of a device is taken to be writable
// fix: bd2fae8da794 "KVM: do not assume PTE is writable after follow_pfn"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data exit
// hunks: 1
// caught-by: memslot_hva_test.kvm.mapped_device_memory_is_not_written
//
// What has no page structures of its own is looked up in the host's page tables. Here
// the guest's read of what the host may only read maps it writable: the guest may then
// write to pages of the kernel's.

@@
@@
- *writable = pte_write(*ptep);
+ *writable = true;
