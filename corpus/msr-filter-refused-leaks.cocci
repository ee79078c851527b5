// SPDX-License-Identifier: GPL-2.0-only
// title: a filter of MSRs that is refused is not freed
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
// hunks: 1
//
// The ranges before the one that is wrong have their bitmaps by then.

@@
expression r, e;
@@
 kvm_vm_ioctl_set_msr_filter(...)
 {
 <...
 if (r) {
- 	kvm_free_msr_filter(e);
 	return r;
 }
 ...>
 }
