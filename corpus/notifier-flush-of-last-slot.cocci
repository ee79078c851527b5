// SPDX-License-Identifier: GPL-2.0-only
// title: an invalidation of several slots flushes if the last one had something mapped
// files: virt/kvm/kvm_main.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: stats
// hunks: 1
// caught-by: memslot_hva_test.kvm.invalidation_of_slots_of_which_one_is_used
//
// One range of hvas may be in several slots. What the first ones have zapped needs a
// flush, even if nothing of the last one was mapped.

@@
expression range, r;
@@
- ret |= range->handler(kvm, r);
+ ret = range->handler(kvm, r);
