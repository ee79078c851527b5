// SPDX-License-Identifier: GPL-2.0-only
// title: a slot whose move fails stays invalid
// fix: "KVM: Reinstall old memslots if arch preparation fails"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: hang
// hunks: 1
// caught-by: memslot_limits_test.kvm.unreachable_gpas_are_einval_or_harmless
//
// A move makes the slot invalid, zaps it and then fails, for a gpa out of reach. Nobody
// puts the old slot back: vCPUs that use it wait for the end of an update that is over.

@@
expression kvm, invalid_slot, old;
@@
- kvm_activate_memslot(kvm, invalid_slot, old);
- kfree(invalid_slot);
+ mutex_unlock(&kvm->slots_arch_lock);
