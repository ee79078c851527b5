// SPDX-License-Identifier: GPL-2.0-only
// title: the second part of an MMIO access is taken to be behind the first
// fix: f78146b0f923 "KVM: Fix page-crossing MMIO"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: mmio_gap_test.gap.below_1m.crossing_into_the_next_page_exits_for_each
//
// An access across a page's end exits once for each page. The gpa of the second exit is
// computed from the first one's instead of being looked up, which is right only where
// the guest has mapped two pages that follow each other.

@@
expression run, frag;
@@
- run->mmio.phys_addr = frag->gpa;
  if (vcpu->mmio_is_write)
  	memcpy(...);
+ run->mmio.phys_addr += len;
