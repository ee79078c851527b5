// SPDX-License-Identifier: GPL-2.0-only
// title: a large page that is joined begins at the small page that it was made from
// fix: never merged
// files: arch/x86/kvm/mmu/spte.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: log errno hang
// caught-by: dirty_split_test.kvm.joined_from_any_page
// hunks: 1
//
// Since 6.13 the TDP MMU joins small pages in place when logging ends: it takes the
// first one that is mapped for a model. That need not be the first of the large page.

@@
@@
make_huge_spte(...)
{
...
-	huge_spte &= KVM_HPAGE_MASK(level) | ~PAGE_MASK;
...
}
