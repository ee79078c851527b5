// SPDX-License-Identifier: GPL-2.0-only
// title: a page-modification log of L1 has addresses within pages
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_vmx_test.kvm.dirty_bits_are_logged_for_l1
// hunks: 1
//
// The low 12 bits of an entry are 0.

@@
identifier gpa, vmcs12, dst;
@@
- gpa &= ~0xFFFull;
  dst = vmcs12->pml_address + ...;
