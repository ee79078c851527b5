// SPDX-License-Identifier: GPL-2.0-only
// title: a coalesced zone whose bus cannot shrink is not freed
// fix: b1cb1fac22ab "KVM: Destroy target device if coalesced MMIO unregistration fails"
// files: virt/kvm/coalesced_mmio.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: leak
// hunks: 2
// caught-by: memory_limit_test.kvm.buses_that_cannot_shrink
//
// The bus is given up for want of memory, with all devices but the one that was to
// leave; that one is left alone by everybody.

@@
identifier dev, r;
@@
- kvm_iodevice_destructor(&dev->dev);
  if (r)
	break;
+ kvm_iodevice_destructor(&dev->dev);
