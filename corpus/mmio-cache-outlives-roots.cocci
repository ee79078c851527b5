// SPDX-License-Identifier: GPL-2.0-only
// title: the MMIO page that a vCPU remembers outlives its roots
// fix: 6d58f275e6dc "KVM: x86/mmu: clear MMIO cache when unloading the MMU"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd
// params: kvm_amd.npt=0
// shows: exit
// caught-by: vcpu_reset_test.vcpu.of_an_ap.reset_forgets_its_page_tables
// hunks: 1
//
// With shadow paging it is remembered by its linear address. What changes the mode of
// the CPU drops all roots, and after it another page can be there: KVM's emulator exits
// with MMIO for RAM, at the gpa of the old mode.

@@
identifier vcpu;
@@
  void kvm_mmu_unload(struct kvm_vcpu *vcpu)
  {
  ...
- vcpu_clear_mmio_info(vcpu, MMIO_GVA_ANY);
  }
