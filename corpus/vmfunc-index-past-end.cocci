// SPDX-License-Identifier: GPL-2.0-only
// title: VMFUNC takes an EPTP from behind the list
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data exit
// caught-by: nested_vmx_test.kvm.l2_switches_its_eptp_by_vmfunc
// hunks: 1
//
// The list is one page of 512 entries.

@@
expression index;
@@
- if (index >= VMFUNC_EPTP_ENTRIES)
+ if (index > VMFUNC_EPTP_ENTRIES)
  	return 1;
