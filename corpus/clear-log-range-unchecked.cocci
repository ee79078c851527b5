// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_CLEAR_DIRTY_LOG takes any number of pages
// fix: 98938aa8edd6 "KVM: validate userspace input in kvm_clear_dirty_log_protect()"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno panic
// hunks: 1
// caught-by: dirty_log_errno_test.abi.x86_64.clear_dirty_log_checks_its_range
//
// Pages behind the slot's last one are bits behind its bitmap: the call reads and
// clears whatever is there.

@@
expression log, memslot;
@@
- log->num_pages > memslot->npages - log->first_page
+ false
