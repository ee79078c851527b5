// SPDX-License-Identifier: GPL-2.0-only
// title: EFLAGS.AC turns SMAP off for what the CPU reads by itself, too
// fix: 4f4aa80e3b88 "KVM: X86: Handle implicit supervisor access with SMAP"
// files: arch/x86/kvm/mmu.h
// kernels: 6.1
// hosts: amd
// params: defaults
// params: kvm_amd.npt=0
// shows: data
// caught-by: forced_emulation_test.kvm.descriptors_are_read_by_the_kernels_rights
// hunks: 1
//
// A kernel sets AC when it means to touch what is the user's. Reads of descriptor
// tables do not go by it, for at CPL 3 it is the user who has set it. KVM's emulator
// takes all that it reads with the kernel's rights for the former.

@@
expression rflags, implicit_access;
@@
-	bool not_smap = ((rflags & X86_EFLAGS_AC) | implicit_access) == X86_EFLAGS_AC;
+	bool not_smap = rflags & X86_EFLAGS_AC;
