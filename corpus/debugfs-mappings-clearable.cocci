// SPDX-License-Identifier: GPL-2.0-only
// title: debugfs lets the number of mapped pages be cleared
// fix: 833b45de69a6 "kvm: x86, powerpc: do not allow clearing largepages debugfs entry"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: errno stats
// caught-by: vm_debugfs_test.kvm.what_is_there_now_cannot_be_cleared
// hunks: 1
//
// What is counted up and down goes below 0 when it was set to 0 in between.

@@
@@
 kvm_stats_debugfs_mode(...)
 {
 <...
- return 0444;
+ return 0644;
 ...>
 }
