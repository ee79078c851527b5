// SPDX-License-Identifier: GPL-2.0-only
// title: a poisoned page of a guest_memfd is mapped again
// fix: never merged
// files: virt/kvm/guest_memfd.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: errno
// caught-by: hwpoison_test.kvm.guest_memfd_has_another_page_after_a_hole
// hunks: 1
//
// It stays in the file until somebody punches it out, so whoever takes it from there
// has to look.

@@
@@
__kvm_gmem_get_pfn(...)
{
<...
-	if (folio_test_hwpoison(folio)) {
-		...
-		return ERR_PTR(-EHWPOISON);
-	}
...>
}
