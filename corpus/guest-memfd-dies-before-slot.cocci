// SPDX-License-Identifier: GPL-2.0-only
// title: a memslot that goes while its guest_memfd is closed leaves a binding behind
// fix: ae431059e75d "KVM: guest_memfd: Remove bindings on memslot deletion when gmem is dying"
// files: virt/kvm/guest_memfd.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: log panic
// hunks: 1
// caught-by: guest_memfd_test.vm.mappable.file_is_closed_while_its_slot_goes
//
// The last reference to a guest_memfd is gone, but its release waits for the lock
// that a memslot's deletion holds. The deletion could not get hold of the file any
// more, took that for "released", freed the slot and left it in the file's list of
// bindings; the release then writes to each slot there.

@@
expression f, s;
@@
  if (!f) {
- 	__kvm_gmem_unbind(s, s->gmem.file->private_data);
  	return;
  }
