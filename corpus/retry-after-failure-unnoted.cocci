// SPDX-License-Identifier: GPL-2.0-only
// title: a store that KVM failed to emulate is tried again and again
// fix: dabc4ff70c35 "KVM: x86: Apply retry protection to "unprotect on failure" path"
// files: arch/x86/kvm/x86.c
// kernels: 7.2
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: hang
// caught-by: internal_error_test.code.x87_store.store_to_the_table_of_its_code
// hunks: 1
//
// A store that cannot be emulated, to a page that is shadowed, may be tried again once
// the shadow page is gone. Where KVM does not remember that it did so, and the fetch of
// the instruction needs that table, the guest comes back for ever.

@@
@@
kvm_unprotect_and_retry_on_failure(...)
{
...
	__kvm_mmu_unprotect_gfn_and_retry(vcpu, cr2_or_gpa, true);
+	vcpu->arch.last_retry_eip = 0;
...
}
