// SPDX-License-Identifier: GPL-2.0-only
// title: an MMIO SPTE gives back no more than 32 bits of its gpa
// fix: never merged; of the class of daa07cbc9ae3 "KVM: x86: fix L1TF's MMIO GFN calculation"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// shows: exit data
// hunks: 1
// caught-by: maxphyaddr_test.guest.as_wide_as_the_host.gaps_have_all_bits
//
// The gfn of a gap is taken out of its MMIO SPTE when the guest touches the page for
// the second time. Cut short on the way, the exit, or an access to RAM, is at a gpa
// below 4G, though the first one was right. With TDP the gpa of the fault is used instead.

@@
@@
- u64 gpa = spte & shadow_nonpresent_or_rsvd_lower_gfn_mask;
+ u32 gpa = spte & shadow_nonpresent_or_rsvd_lower_gfn_mask;
