// SPDX-License-Identifier: GPL-2.0-only
// title: a string from a port of KVM's own is its first element again and again
// fix: never merged
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: port_bus_test.kvm.strings_from_a_port_of_kvms_own
// hunks: 1
//
// REP INS reads ahead, and what a device of KVM's own has for it goes to the buffer's
// start each time; the rest of the buffer is what was there before.

@@
identifier data, size;
@@
 emulator_pio_in_out(...)
 {
 <...
- data += size;
 ...>
 }
