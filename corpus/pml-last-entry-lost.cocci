// SPDX-License-Identifier: GPL-2.0-only
// title: the page that the CPU has logged first is lost
// fix: never merged; what 843e4330573c "KVM: VMX: Add PML support in VMX" must get right
// files: arch/x86/kvm/vmx/vmx.c
// kernels: 6.1
// hosts: intel
// params: cpu=+pml
// shows: data
// hunks: 1
// caught-by: dirty_writers_test.log.bitmap.single_stores
//
// The CPU fills its buffer of dirty pages from the end.

@@
@@
 vmx_flush_pml_buffer(...)
 {
 <...
- pml_idx < PML_ENTITY_NUM
+ pml_idx < PML_ENTITY_NUM - 1
 ...>
 }
