// SPDX-License-Identifier: GPL-2.0-only
// title: an EPT violation leaves what other roots of the table know
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.eptps_of_one_table_are_flushed_together
// hunks: 1
//
// The gpa of a violation is forgotten for all EPTPs of its top table. L1 need not flush it.

@@
@@
- 		nested_ept_invalidate_addr(vcpu, vmcs12->ept_pointer,
- 					   fault->address);
