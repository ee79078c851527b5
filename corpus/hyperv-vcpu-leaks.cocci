// SPDX-License-Identifier: GPL-2.0-only
// title: what a vCPU has for Hyper-V is not freed
// fix: never merged
// files: arch/x86/kvm/hyperv.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.paravirt.the_host_stays_as_it_was
// hunks: 1
//
// It is allocated when a guest first writes to an MSR of Hyper-V's.

@@
expression hv_vcpu;
@@
 kvm_hv_vcpu_uninit(...)
 {
 <...
- kfree(hv_vcpu);
 ...>
 }
