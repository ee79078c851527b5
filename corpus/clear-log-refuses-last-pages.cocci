// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_CLEAR_DIRTY_LOG wants multiples of 64 pages up to the end of the slot, too
// fix: 76d58e0f07ec "KVM: fix KVM_CLEAR_DIRTY_LOG for memory slots of unaligned size"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// hunks: 1
// caught-by: dirty_log_errno_test.abi.x86_64.clear_dirty_log_checks_its_range
//
// Of a slot whose size is no multiple of 64 pages the last ones cannot be cleared.

@@
expression log, memslot;
@@
- log->num_pages < memslot->npages - log->first_page && (log->num_pages & 63)
+ log->num_pages & 63
