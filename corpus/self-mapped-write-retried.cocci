// SPDX-License-Identifier: GPL-2.0-only
// title: a store that cannot be emulated, to a table that it goes through, is retried for ever
// files: arch/x86/kvm/mmu/paging_tmpl.h
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: hang
// hunks: 1
// caught-by: internal_error_test.kvm.store_to_a_table_that_it_goes_through
//
// A store to a shadowed table that KVM cannot emulate is retried without the shadow
// page. If the store itself needs that page, it is there again at once.

@@
identifier p;
@@
- *p |= !gfn;
