// SPDX-License-Identifier: GPL-2.0-only
// title: an async page fault that is cancelled before it has begun holds the mm
// fix: never merged; a reference that the worker gives back otherwise
// files: virt/kvm/async_pf.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: async_pf_test.kvm.cancelled_do_not_keep_the_mm
//
// The work for a page that is to come takes a reference to the VMM's mm, and gives it
// back when it is done. Work that never began has nobody who does that, and all memory
// of the VMM stays when it has ended.

@@
expression work;
@@
kvm_clear_async_pf_completion_queue(...)
{
<...
- mmput(work->mm);
...>
}
