// SPDX-License-Identifier: GPL-2.0-only
// title: the emulator uses the gpa of an earlier instruction's fault
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: exit data
// hunks: 1
// caught-by: mmio_string_test.kvm.port_strings_in_ram_after_a_gap
//
// The gpa of a nested page fault saves the emulator a walk of the guest's tables. It is
// not to be there any more for the next instruction, which had no fault.

@@
@@
- ctxt->gpa_available = false;
