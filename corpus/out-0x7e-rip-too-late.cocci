// SPDX-License-Identifier: GPL-2.0-only
// title: RIP stays at OUT 0x7e
// fix: 8764ed55c970 "KVM: x86: Whitelist port 0x7e for pre-incrementing %rip"
// files: arch/x86/kvm/x86.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: data
// caught-by: port_bus_test.kvm.rip_is_behind_out_0x7e
// hunks: 1
//
// Firmware resets a machine by that port, and user space sets the registers then;
// OUT must be complete when it does.

@@
expression port, e;
@@
 kvm_fast_pio_out(...)
 {
 <...
- port == 0x7e && e
+ 0
 ...>
 }
