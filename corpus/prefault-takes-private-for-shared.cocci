// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_PRE_FAULT_MEMORY takes private pages for shared ones
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// params: defaults
// shows: errno
// caught-by: prefault_test.kvm.private_pages_are_mapped_as_such
// hunks: 1
//
// Nobody but KVM can say of a gpa to be prefaulted whether it is private: there is no
// fault with an error code.

@@
identifier code;
@@
kvm_arch_vcpu_pre_fault_memory(...)
{
<...
- code |= PFERR_PRIVATE_ACCESS;
+ code |= 0;
...>
}
