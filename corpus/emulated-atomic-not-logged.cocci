// SPDX-License-Identifier: GPL-2.0-only
// title: an emulated atomic write is not in the dirty log
// fix: 910c57dfa4d1 "KVM: x86: Mark target gfn of emulated atomic instruction as dirty"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: dirty_writers_test.log.bitmap.stores_to_page_tables
// caught-by: nested_memslot_test.l2.nested_paging.tables_change_in_the_dirty_log
//
// KVM's emulator does a locked instruction with a CMPXCHG on the host's address of
// the page, past everything that logs.

@@
identifier vcpu, gpa;
@@
- kvm_vcpu_mark_page_dirty(vcpu, gpa_to_gfn(gpa));
+ (void)gpa;
