// SPDX-License-Identifier: GPL-2.0-only
// title: a vCPU that cannot be created leaves its machine check banks
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: memory_limit_test.kvm.vcpus_are_created_or_not
//
// Something behind the banks cannot be had, and the way out frees one array of the two.

@@
expression vcpu;
@@
- kfree(vcpu->arch.mci_ctl2_banks);
  free_page((unsigned long)vcpu->arch.pio_data);
