// SPDX-License-Identifier: GPL-2.0-only
// title: the new generation is there before all vCPUs have left the old memslots
// fix: ee3d1570b586 "kvm: fix potentially corrupt mmio cache"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: exit
// hunks: 2
// missed: the vCPU must be between two reads of the memslots pointer when it changes
//
// New memslots come with their final generation, and nothing says that an update is
// under way. A vCPU that has looked up a gap in the old memslots notes it, for itself
// and in an MMIO SPTE, with the generation of the new ones, in which there may be RAM.

@@
expression slots, gen;
@@
- slots->generation = gen | KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS;
+ slots->generation = gen + KVM_ADDRESS_SPACE_NUM;

@@
expression slots, gen;
@@
- gen = slots->generation & ~KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS;
- gen += KVM_ADDRESS_SPACE_NUM;
+ gen = slots->generation;
