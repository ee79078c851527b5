// SPDX-License-Identifier: GPL-2.0-only
// title: a VM that cannot be created leaves its buses
// fix: never merged
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: memory_limit_test.kvm.vms_are_created_or_not
//
// KVM_CREATE_VM runs out of memory when there are buses already.

@@
identifier i;
@@
- for (i = 0; i < KVM_NR_BUSES; i++)
-	kfree(kvm_get_bus(kvm, i));
  cleanup_srcu_struct(&kvm->irq_srcu);
