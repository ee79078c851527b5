// SPDX-License-Identifier: GPL-2.0-only
// title: the identity map may move while there is a vCPU
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: intel
// shows: errno
// caught-by: memslot_limits_test.kvm.places_of_kvms_own_slots
// hunks: 1
//
// A vCPU that has no unrestricted_guest goes by the map that was there when it was made.

@@
@@
  r = -EINVAL;
- if (kvm->created_vcpus)
- 	goto set_identity_unlock;
  r = -EFAULT;
