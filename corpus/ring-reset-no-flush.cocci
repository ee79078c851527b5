// SPDX-License-Identifier: GPL-2.0-only
// title: KVM_RESET_DIRTY_RINGS write-protects pages and flushes no TLB
// fix: never merged; what fb04a1eddb1a "KVM: X86: Implement ring-based dirty memory tracking" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// shows: stats data
// hunks: 1
// caught-by: dirty_ring_test.backing.anonymous.each_written_page_is_in_the_ring_once
//
// As dirty-get-no-flush, for rings.

@@
expression kvm;
@@
  if (cleared)
-	kvm_flush_remote_tlbs(kvm);
+	;
