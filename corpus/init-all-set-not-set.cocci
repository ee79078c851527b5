// SPDX-License-Identifier: GPL-2.0-only
// title: initially all set: the bitmap begins empty
// fix: never merged; what 3c9bd4006bfc "KVM: x86: enable dirty log gradually in small chunks" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: dirty_log_test.migration.initially_set.copies_everything
//
// Nothing is write-protected when logging begins because everything counts as
// dirty. If the bitmap does not say so, writes before the first clear are lost.

@@
expression kvm, new;
@@
- if (kvm_dirty_log_manual_protect_and_init_set(kvm))
-	bitmap_set(new->dirty_bitmap, 0, new->npages);
