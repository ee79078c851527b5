// SPDX-License-Identifier: GPL-2.0-only
// title: a walk of a 32-bit L1's shadow pages begins at KVM's upper tables
// fix: 12ec33a70574 "KVM: X86: Fix when shadow_root_level=5 && guest root_level<4"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: panic
// hunks: 1
// caught-by: nested_modes_test.kvm.l1_goes_between_modes
//
// These have no shadow page; the four below them are where a walk must begin. The fix
// is of the same step, for a host with five levels.
@@
identifier iterator;
expression C;
@@
- if (C)
- 	iterator->level = PT32E_ROOT_LEVEL;
