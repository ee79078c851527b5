// SPDX-License-Identifier: GPL-2.0-only
// title: a memslot with a guest_memfd may be read-only
// fix: e563592224e0 "KVM: Make KVM_MEM_GUEST_MEMFD mutually exclusive with KVM_MEM_READONLY"
// files: virt/kvm/kvm_main.c
// kernels: 7.2
// hosts: amd intel
// params: defaults
// shows: errno
// hunks: 1
// caught-by: guest_memfd_test.vm.mappable.wrong_bindings_have_their_errno
//
// A write to a read-only slot is MMIO, and private memory knows no MMIO. KVM took
// the two flags together and left it to the guest to find out.

@@
expression kvm, mem;
statement S;
@@
  if (kvm_arch_has_readonly_mem(kvm)
-     && !(mem->flags & KVM_MEM_GUEST_MEMFD)
     )
  	S
