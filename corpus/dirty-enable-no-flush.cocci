// SPDX-License-Identifier: GPL-2.0-only
// title: dirty logging is turned on without a flush of the TLBs
// fix: b64d740ea7dd "kvm: x86: mmu: Always flush TLBs when enabling dirty logging"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats data
// hunks: 1
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// The ioctl that turns logging on returns, and a running vCPU still has writable
// translations in its TLB: its writes are in no log.

@@
expression kvm, new;
@@
- kvm_arch_flush_remote_tlbs_memslot(kvm, new);
