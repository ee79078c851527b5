// SPDX-License-Identifier: GPL-2.0-only
// title: a root that is invalid and still in use goes back to the list of active pages
// fix: f95eec9bed76 "KVM: x86/mmu: Don't put invalid SPs back on the list of active pages"
// files: arch/x86/kvm/mmu/mmu.c
// kernels: 6.1
// hosts: amd intel
// params: kvm_amd.npt=0
// params: kvm_intel.ept=0
// shows: log hang
// caught-by: guest_roots_test.kvm.edits_between_cr3_switches
// hunks: 1
//
// Who walks that list to zap pages finds it there for ever.

@@
identifier sp, invalid_list;
@@
- if (sp->role.invalid)
- 	list_add(&sp->link, invalid_list);
- else
  	list_move(&sp->link, invalid_list);

@@
identifier kvm, sp, fn;
@@
  fn(struct kvm *kvm, struct kvm_mmu_page *sp, struct list_head *invalid_list, int *nr_zapped)
  {
  <...
- list_del(&sp->link);
+ list_move(&sp->link, &kvm->arch.active_mmu_pages);
  ...>
  }
