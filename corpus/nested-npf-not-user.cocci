// SPDX-License-Identifier: GPL-2.0-only
// title: L1 is told that L2's nested page fault was not a user's access
// fix: never merged
// files: arch/x86/kvm/svm/nested.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: data
// caught-by: nested_rights_test.kvm.nested_rights_are_not_of_registers
// hunks: 1
//
// For a CPU, all that is accessed by nested page tables is accessed by a user, and it
// says so in EXITINFO1. KVM, which walks L1's tables in the CPU's place, must, too.

@@
expression info, fault;
@@
nested_svm_inject_npf_exit(...)
{
	...
-	info |= fault->error_code;
+	info |= fault->error_code & ~PFERR_USER_MASK;
	...
}
