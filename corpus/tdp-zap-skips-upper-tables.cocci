// SPDX-License-Identifier: GPL-2.0-only
// title: the upper tables of a root are not zapped
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd intel
// params: defaults
// shows: log leak
// hunks: 1
// caught-by: vm_teardown_test.alive.mmio.dies_in_each_order
//
// A root is zapped in two passes: below the 1G level, and then the tables at the top.
// Without the second the upper tables stay, and with them the list of tables that is
// to be empty when the VM is gone.

@@
@@
 tdp_mmu_zap_root(...)
 {
 <...
- __tdp_mmu_zap_root(kvm, root, shared, root->role.level);
 ...>
 }
