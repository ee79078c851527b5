// SPDX-License-Identifier: GPL-2.0-only
// title: a VM's filter of PMU events is not freed
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// caught-by: vm_churn_test.churn.paravirt.the_host_stays_as_it_was
// hunks: 1
//
// The filter that is there when the VM dies stays.

@@
@@
 kvm_arch_destroy_vm(...)
 {
 <...
- kfree(srcu_dereference_check(kvm->arch.pmu_event_filter, &kvm->srcu, 1));
 ...>
 }
