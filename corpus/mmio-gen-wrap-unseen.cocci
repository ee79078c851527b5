// SPDX-License-Identifier: GPL-2.0-only
// title: the MMIO generation of SMM's address space wraps unseen
// fix: e1359e2beb8b "KVM: x86/mmu: Detect MMIO generation wrap in any address space"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: exit
// hunks: 1
// missed: needs 2^18 updates of SMM's slots; smm_memslot_test --set generations=0x100000 goes there
//
// The lowest bit of a generation is the address space's number. Unless that is masked
// off, the generation of SMM's slots is never 0 when it wraps, MMIO SPTEs of the last
// time round are not zapped, and RAM exits as MMIO.

@@
identifier kvm, gen;
@@
kvm_mmu_invalidate_mmio_sptes(struct kvm *kvm, u64 gen)
{
...
- gen &= ~((u64)KVM_ADDRESS_SPACE_NUM - 1);
...
}
