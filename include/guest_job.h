/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that runs one instruction after another on the host's behalf, and
 * survives what comes of each: an exit, an exception, an event.
 */
#ifndef SELFTEST_KVM_GUEST_JOB_H
#define SELFTEST_KVM_GUEST_JOB_H

#include "processor.h"

/*
 * Defines the code guest_<name>: @before, the instruction @insn at
 * guest_<name>_insn, and @after at guest_<name>_end. The operand is at rdi, the
 * result goes to rax. Code that the host writes itself ends as this does: r9 is
 * zeroed, and r11 jumped to. r8, r10 and r11 are not to be used.
 */
#define GUEST_INSN(name, before, insn, after)				\
	extern char guest_##name[], guest_##name##_insn[],		\
		    guest_##name##_end[];				\
	asm(".pushsection .text\n"					\
	    "guest_" #name ":\n\t" before "\n"				\
	    "guest_" #name "_insn:\n\t" insn "\n"			\
	    "guest_" #name "_end:\n\t" after "\n\t"			\
	    "xor %r9d, %r9d\n\t"					\
	    "jmp *%r11\n"						\
	    ".popsection")

struct guest_job {
	gva_t entry;		/* where the code starts */
	gva_t gva;		/* rdi */
	gva_t stack;		/* rsp; 0 is the guest's own stack */
	gva_t frame_rip;	/* RIP in the frame of the exception that may come */
};

/*
 * Guest code: runs the job that the host gave it last; then GUEST_SYNC(vector of
 * the exception or event that was taken or 0, rax); and again. The stack that
 * the guest had before the job is in r8 meanwhile.
 */
void guest_job_loop(void);

/* To be called while no vCPU is between two jobs. */
void vm_set_guest_job(struct kvm_vm *vm, const struct guest_job *job);

#endif /* SELFTEST_KVM_GUEST_JOB_H */
