// SPDX-License-Identifier: GPL-2.0-only
// title: CPUID that is refused is not freed
// fix: never merged
// files: arch/x86/kvm/cpuid.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.failures.the_host_stays_as_it_was
// hunks: 1
//
// KVM_SET_CPUID2 leaves its copy of the table behind when it returns an error.

@@
expression r, e;
@@
 kvm_vcpu_ioctl_set_cpuid2(...)
 {
 <...
- if (r)
- 	kvfree(e);
 ...>
 }
