// SPDX-License-Identifier: GPL-2.0-only
// title: a descriptor table is stored to a gap from the emulator's stack
// fix: 129a72a0d3c8 "KVM: x86: Introduce segmented_write_std"
// files: arch/x86/kvm/emulate.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: log exit
// caught-by: mmio_std_test.kvm.table_in_a_gap_is_stepped_over
// hunks: 1
//
// When user space's exit comes for what SGDT and SIDT store, they are done, and so is
// what was on their stack.

@@
@@
 emulate_store_desc_ptr(...)
 {
 <...
- segmented_write_std
+ segmented_write
  (...)
 ...>
 }
