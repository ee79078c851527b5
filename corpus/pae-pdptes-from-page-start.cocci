// SPDX-License-Identifier: GPL-2.0-only
// title: PDPTEs are read from the start of CR3's page
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: exit data
// hunks: 1
// caught-by: guest_modes_test.kvm.switches_between_modes
//
// The four entries of PAE may be anywhere in a page, at a multiple of 32 bytes.

@@
@@
 load_pdptrs(...)
 {
 <...
- cr3 & GENMASK(11, 5)
+ 0
 ...>
 }
