// SPDX-License-Identifier: GPL-2.0-only
// title: the slot that a vCPU looked up last is used in another generation
// fix: 4e335d9e7ddb "Revert "KVM: Support vCPU-based gfn->hva cache""
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// hunks: 1
// caught-by: smm_access_test.kvm.memory_that_the_host_gives_up_is_gone
//
// A vCPU has a hint of its own for lookups. It is void with each update of the
// memslots, and when the vCPU goes to the other address space. Used all the same, it
// leads to a slot that is gone or that is not of this address space.

@@
identifier vcpu, gen;
@@
kvm_vcpu_gfn_to_memslot(struct kvm_vcpu *vcpu, ...)
{
...
- if (unlikely(gen != vcpu->last_used_slot_gen)) {
-	vcpu->last_used_slot = NULL;
-	vcpu->last_used_slot_gen = gen;
- }
+ vcpu->last_used_slot_gen = gen;
...
}
