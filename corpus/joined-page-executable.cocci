// SPDX-License-Identifier: GPL-2.0-only
// title: a large page that is joined is executable in spite of kvm.nx_huge_pages
// fix: never merged
// files: arch/x86/kvm/mmu/spte.c
// kernels: 7.2
// hosts: amd intel
// params: kvm.nx_huge_pages=1
// shows: stats
// caught-by: nx_huge_page_test.kvm.joined_pages_are_not_executable
// hunks: 1
//
// Small pages are executable, and the large one that takes their place has their
// rights, but for that.

@@
@@
make_huge_spte(...)
{
...
-	if (is_nx_huge_page_enabled(kvm))
-		huge_spte = change_spte_executable(huge_spte, 0);
...
}
