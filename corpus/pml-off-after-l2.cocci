// SPDX-License-Identifier: GPL-2.0-only
// title: the CPU's log stays off when logging began while L2 ran
// fix: never merged; what a85863c2189c "KVM: VMX: Dynamically enable/disable PML based on memslot dirty logging" must get right
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// params: cpu=+pml
// shows: data
// hunks: 1
// caught-by: nested_memslot_test.l2.own_page_tables.logging_begins_and_ends_while_it_runs
//
// The log is a control of L1's VMCS, and changes when L1 runs next.

@@
@@
 nested_vmx_vmexit(...)
 {
 <...
- vmx_update_cpu_dirty_logging(...);
 ...>
 }
