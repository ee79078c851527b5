// SPDX-License-Identifier: GPL-2.0-only
// title: a store that was tried again already is tried again
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: hang
// caught-by: internal_error_test.code.add.store_to_the_table_of_its_code
// hunks: 1
//
// An instruction that is not known to write page tables is tried again without the
// shadow page that it wrote to. If its own code is found through that table, the
// shadow page is there again at once; the second time it must be emulated.

@@
@@
retry_instruction(...)
{
...
-	if (ctxt->eip == last_retry_eip && last_retry_addr == cr2_or_gpa)
-		return false;
...
}
