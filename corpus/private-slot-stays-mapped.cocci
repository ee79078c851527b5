// SPDX-License-Identifier: GPL-2.0-only
// title: memory that KVM maps into its VMM stays when the VM goes
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: intel
// shows: leak
// caught-by: vm_teardown_test.kvm.leaves_no_mappings_in_its_vmm
// hunks: 1
//
// So 5.10 has it: a slot of KVM's own is deleted, and the munmap() is for address 0
// instead of the slot's.

@@
@@
- hva = slot->userspace_addr;
+ hva = 0;
