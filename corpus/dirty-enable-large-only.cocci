// SPDX-License-Identifier: GPL-2.0-only
// title: turning dirty logging on leaves 4K pages writable
// fix: never merged; what 3c9bd4006bfc "KVM: x86: enable dirty log gradually in small chunks" must get right
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm.eager_page_split=0
// shows: data
// hunks: 1
// caught-by: dirty_log_test.backing.anonymous.splits_logs_and_collapses
//
// With PML only large pages need write protection. Without, what was mapped 4K
// stays writable, and the guest's writes to it are not logged until something else
// unmaps it.

@@
expression kvm, new;
@@
- kvm_mmu_slot_remove_write_access(kvm, new, PG_LEVEL_4K);
+ kvm_mmu_slot_remove_write_access(kvm, new, PG_LEVEL_2M);
