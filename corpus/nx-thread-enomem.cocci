// SPDX-License-Identifier: GPL-2.0-only
// title: a signal that prevents the recovery thread makes KVM_RUN fail with ENOMEM
// fix: 916b7f42b3b3 "kvm: retry nx_huge_page_recovery_thread creation"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: vcpu_create_test.kvm.first_run_meets_a_signal
// hunks: 1
//
// The first KVM_RUN starts the thread that recovers NX huge pages. A signal that is
// there already is in the way of a new thread; that is no lack of memory, and has to be
// told as what it is, so that the call is made again.

@@
@@
kvm_mmu_start_lpage_recovery(...)
{
...
	if (IS_ERR(nx_thread))
-		return PTR_ERR(nx_thread);
+		return -ENOMEM;
...
}
