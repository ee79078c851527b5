// SPDX-License-Identifier: GPL-2.0-only
// title: the TDP MMU clears the dirty state of pages up to the first that is protected
// fix: never merged
// files: arch/x86/kvm/mmu/tdp_mmu.c
// kernels: 6.1
// hosts: amd
// params: defaults
// shows: data
// hunks: 1
// caught-by: dirty_writers_test.log.bitmap.stores_by_cpu_and_kvm_in_turns
//
// A page that only KVM has written is dirty and write-protected. The pages behind it
// stay writable, and what the guest writes there is not in the log.

@@
expression new_spte, iter;
iterator name tdp_root_for_each_leaf_pte;
@@
  clear_dirty_pt_masked(...)
  {
  <...
  if (is_writable_pte(iter.old_spte))
	new_spte = ...;
  else
-	continue;
+	break;
  ...>
  }
