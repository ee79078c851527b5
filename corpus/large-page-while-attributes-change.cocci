// SPDX-License-Identifier: GPL-2.0-only
// title: a large page is mapped over a range whose attributes are being changed
// fix: 9129633d568e "KVM: x86/mmu: Prevent installing hugepages when mem attributes are changing"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: data stats
// hunks: 1
// caught-by: private_memory_test.kvm.no_large_page_while_attributes_change
//
// Before attributes change, the range is unmapped and faults on it have to wait;
// only when all is done are large pages told that they hold both kinds. The large
// pages at the ends of the range also hold pages outside of it, for which nobody
// waited: a fault there mapped the large page anew, private pages and all.

@@
identifier f = kvm_arch_pre_set_memory_attributes;
identifier level;
statement S;
@@
 f(...)
 {
 ...
- for (level = PG_LEVEL_2M; level <= KVM_MAX_HUGEPAGE_LEVEL; level++)
-	S
 ...
 }
