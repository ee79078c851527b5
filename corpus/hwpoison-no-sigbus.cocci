// SPDX-License-Identifier: GPL-2.0-only
// title: who touches a poisoned page is not told
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: errno
// caught-by: hwpoison_test.access.read.is_told_until_the_page_is_replaced
// hunks: 1
//
// A fault on a page that the host has taken out of use, because its memory is broken,
// is to send SIGBUS with the page's hva, by which a VMM can replace it. It fails with
// EFAULT instead, like a fault on an hva where nothing is mapped.

@@
expression E;
@@
 kvm_handle_error_pfn(...)
 {
 <...
 if (E == KVM_PFN_ERR_HWPOISON) {
-	kvm_send_hwpoison_signal(...);
-	return RET_PF_RETRY;
+	return -EFAULT;
 }
 ...>
 }
