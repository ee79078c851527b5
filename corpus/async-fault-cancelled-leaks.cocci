// SPDX-License-Identifier: GPL-2.0-only
// title: an async page fault that is cancelled before it has begun is not freed
// fix: never merged
// files: virt/kvm/async_pf.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 1
// caught-by: async_pf_test.kvm.cancelled_leave_nothing_behind
//
// Nobody else will free the work: it is on no list any more.

@@
expression work, cache;
@@
kvm_clear_async_pf_completion_queue(...)
{
<...
 mmput(work->mm);
- kmem_cache_free(cache, work);
...>
}
