// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_CLEAR_DIRTY_LOG write-protects pages and flushes no TLB
// fix: never merged; what 2a31b9db1535 "kvm: introduce manual dirty log reprotect" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: stats data
// hunks: 1
// caught-by: dirty_log_test.kvm.manual_protect_clears_what_is_asked
//
// As dirty-get-no-flush, for a VMM with manual protection.

@@
expression mask;
@@
  if (mask) {
- flush = true;
  ...
  }
