// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_GET_DIRTY_LOG write-protects pages and flushes no TLB
// fix: never merged; what 95d4c16ce78c "KVM: Optimize dirty logging by rmap_write_protect()" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: stats data
// hunks: 1
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// A vCPU whose TLB still has the page as writable goes on writing without a fault,
// and the page is not in the next log: a migration loses what was written.

@@
identifier flush, mask;
@@
- flush = true;
  mask = xchg(...);
