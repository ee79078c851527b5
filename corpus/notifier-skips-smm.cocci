// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation looks at the first address space only
// fix: never merged; what f481b069e674 "KVM: implement multiple address spaces" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: data stats
// hunks: 1
// caught-by: mmu_notifier_test.kvm.memory_of_smm_goes
//
// SMM has memslots of its own. Memory that only they show is taken away without
// KVM unmapping it, and a vCPU in SMM goes on using it.

@@
@@
  __kvm_handle_hva_range(...)
  {
  <...
- i < KVM_ADDRESS_SPACE_NUM
+ i < 1
  ...>
  }
