// SPDX-License-Identifier: GPL-2.0-only
// title: a read fault maps a page writable that the host has only for reading
// fix: never merged; what 612819c3c6e6 "KVM: propagate fault r/w information to gup(), allow read-only memory" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: memslot_hva_test.kvm.private_mapping_is_not_written_through
//
// The guest reads a private mapping of a file, or a page of zeroes, and then writes
// without a fault: into the page cache, or into the zero page of the whole host.
// Only ever in the lab.

@@
identifier writable, write_fault;
@@
  hva_to_pfn_slow(unsigned long addr, bool *async, bool write_fault, bool *writable, kvm_pfn_t *pfn)
  {
  <...
- *writable = write_fault;
+ *writable = true;
  ...>
  }
