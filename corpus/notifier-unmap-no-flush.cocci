// SPDX-License-Identifier: GPL-2.0-only
// title: the host takes pages away, and KVM flushes no TLB
// fix: never merged; what e930bffe95e1 "KVM: Synchronize guest physical memory map to host virtual memory map" must get right
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// params: kvm_amd.npt=0
// shows: stats data
// hunks: 1
// caught-by: host_page_test.drop.madvise_4k.leaves_zeroes_and_nothing_else
//
// SPTEs are gone when the notifier returns, but a running vCPU still has them in its
// TLB and reads and writes memory that is somebody else's by then.

@@
identifier kvm, hva_range;
@@
- __kvm_handle_hva_range(kvm, &hva_range);
+ {
+	struct kvm_hva_range no_flush = hva_range;
+	no_flush.flush_on_ret = false;
+	__kvm_handle_hva_range(kvm, &no_flush);
+ }
  return 0;
