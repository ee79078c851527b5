// SPDX-License-Identifier: GPL-2.0-only
// title: INVEPT does not reach the root with other A/D bits
// fix: never merged
// files: arch/x86/kvm/vmx/nested.c
// kernels: 6.1
// hosts: intel
// shows: data
// caught-by: nested_ept_test.kvm.eptps_of_one_table_are_flushed_together
// hunks: 1
//
// Mappings are tagged by the address of the top table, and not by the rest of the EPTP.

@@
expression root_eptp, eptp;
@@
- ((root_eptp & EPTP_PA_MASK) == (eptp & EPTP_PA_MASK))
+ (root_eptp == eptp)
