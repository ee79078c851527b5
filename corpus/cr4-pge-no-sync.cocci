// SPDX-License-Identifier: GPL-2.0-only
// title: a guest's flush by CR4.PGE is not one
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: data
// hunks: 1
// caught-by: guest_paging_test.kvm.anything_is_edited_at_any_level
//
// A guest that toggles CR4.PGE flushes everything. KVM must then sync what is out of
// sync; here it does so for the change of PCIDE alone.

@@
@@
 kvm_post_set_cr4(...)
 {
 <...
- ((cr4 ^ old_cr4) & X86_CR4_PGE)
+ 0
 ...>
 }
