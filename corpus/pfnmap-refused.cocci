// SPDX-License-Identifier: GPL-2.0-only
// title: memory of a device is no memory
// fix: never merged; what 92176a8ede57 "KVM: MMU: prepare to support mapping of VM_IO and VM_PFNMAP frames" made work
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd
// shows: errno
// hunks: 1
// caught-by: pfnmap_test.device.ivshmem.guest_reads_writes_and_runs_it
//
// A page frame without a struct page has no reference count that could be taken, and
// needs none. Here that is an error.

@@
@@
 kvm_try_get_pfn(...)
 {
 ...
 if (!page)
- 	return 1;
+ 	return 0;
 ...
 }
