// SPDX-License-Identifier: GPL-2.0-only
// title: a 32-bit VMM's KVM_CLEAR_DIRTY_LOG is taken for a 64-bit one's
// fix: 8750f9bbda11 "KVM: add missing compat KVM_CLEAR_DIRTY_LOG"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno
// hunks: 1
// caught-by: dirty_log_errno_test.abi.i386.clear_dirty_log_checks_its_range
//
// The pointer to the bitmap is half as long there, and what follows it is no part of it.

@@
@@
 kvm_vm_compat_ioctl(...)
 {
 <...
- KVM_CLEAR_DIRTY_LOG
+ 0
 ...>
 }
