// SPDX-License-Identifier: GPL-2.0-only
// title: resetting a dirty ring backwards loses pages of the mask
// fix: never merged; what fb04a1eddb1a "KVM: X86: Implement ring-based dirty memory tracking" must get right
// files: virt/kvm/dirty_ring.c
// kernels: 6.1
// hosts: amd intel
// shows: data
// hunks: 1
// caught-by: dirty_ring_test.backing.anonymous.each_written_page_is_in_the_ring_once
//
// Entries of neighbouring pages are reset together, as a mask of 64 pages. When the
// guest walks down, the mask is shifted up; bits that fall out at the top are pages
// that stay writable.

@@
identifier delta, mask;
@@
- (mask << -delta >> -delta) == mask
+ true
