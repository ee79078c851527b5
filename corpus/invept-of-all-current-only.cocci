// SPDX-License-Identifier: GPL-2.0-only
// title: INVEPT of all contexts is for the current root only
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.invept_of_all_reaches_every_root
// hunks: 1
//
// An L1 that goes back to an earlier EPTP has its L2 see what the tables said before.

@@
identifier roots_to_free;
@@
- roots_to_free = KVM_MMU_ROOTS_ALL;
+ roots_to_free = KVM_MMU_ROOT_CURRENT;
