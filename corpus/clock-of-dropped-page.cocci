// SPDX-License-Identifier: GPL-2.0-only
// title: the clock is written to a page that the host has taken back
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: pv_memory_test.area.clock.host_drops_the_page
//
// KVM has the page of a guest's clock mapped for itself, without a reference: an MMU
// notifier is to end that. Without it, KVM writes to whoever has the page next.

@@
@@
- gfn_to_pfn_cache_invalidate_start(...);
