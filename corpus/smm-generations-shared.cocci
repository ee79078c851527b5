// SPDX-License-Identifier: GPL-2.0-only
// title: both address spaces use the same numbers for their generations
// fix: 4bd518f1598d "KVM: use separate generations for each address space"
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data exit
// hunks: 1
// caught-by: smm_access_test.kvm.nothing_is_taken_along_at_any_generation
//
// What a vCPU remembers of lookups is compared by the generation alone. If that is the
// same number in the other address space, entering SMM takes hints and notes of the
// outside along.

@@
expression slots;
@@
- slots->generation = i;
+ slots->generation = 0;
