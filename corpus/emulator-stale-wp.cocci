// SPDX-License-Identifier: GPL-2.0-only
// title: KVM's emulator takes rights from the CR0.WP of long ago
// fix: cf9f4c0eb169 "KVM: x86/mmu: Refresh CR0.WP prior to checking for emulated permission faults"
// files: arch/x86/kvm/mmu.h
// kernels: 6.1
// hosts: intel
// shows: data exit
// caught-by: access_test.kvm.wp_just_before_a_write_by_kvm
// hunks: 1
//
// With EPT the guest changes CR0.WP without an exit. What KVM accesses for it is then
// refused, or allowed, by the old one.

@@
@@
- __kvm_mmu_refresh_passthrough_bits(vcpu, mmu);
