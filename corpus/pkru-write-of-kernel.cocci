// SPDX-License-Identifier: GPL-2.0-only
// title: a key that forbids writes forbids the kernel's without CR0.WP, too
// fix: never merged
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: cpu=+pku
// shows: data
// hunks: 1
// caught-by: access_test.kvm.protection_keys
//
// PKRU.WD is for writes by a user, and with CR0.WP for those of the kernel to a user's
// page. Here KVM, writing for a guest's kernel, heeds it without WP.

@@
@@
 update_pkru_bitmask(...)
 {
 <...
- check_write = check_pkey && wf && (uf || wp);
+ check_write = check_pkey && wf;
 ...>
 }
