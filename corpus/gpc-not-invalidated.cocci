// SPDX-License-Identifier: GPL-2.0-only
// title: the MMU notifier leaves KVM's own cached pfns alone
// fix: never merged; what 982ed0de4753 "KVM: Reinstate gfn_to_pfn_cache with invalidation support" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: kvm_writer_test.writer.clock.follows_the_hosts_memory
//
// KVM goes on to write kvmclock through its mapping of a page that the host has freed.

@@
@@
- gfn_to_pfn_cache_invalidate_start(...);
