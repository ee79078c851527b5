// SPDX-License-Identifier: GPL-2.0-only
/* A guest that runs one instruction after another. */
#include "guest_job.h"
#include "ucall.h"

/* Guest-side. */
static struct guest_job guest_job;

static uint64_t run_guest_job(uint64_t *result)
{
	uint64_t gva = guest_job.gva, stack = guest_job.stack, rax = 0, vector;
	register uint64_t rip asm("r10") = guest_job.frame_rip;

	/* Behind an exception, guest_route_exception() resumes at r11. */
	asm volatile("mov %%rsp, %%r8\n\t"
		     "test %[stack], %[stack]\n\t"
		     "cmovnz %[stack], %%rsp\n\t"
		     "movabs %[magic], %%r9\n\t"
		     "lea 1f(%%rip), %%r11\n\t"
		     "jmp *%[entry]\n"
		     "1:\n\t"
		     "mov %%r8, %%rsp\n\t"
		     "movzbl %%r9b, %k[vector]"
		     : [vector] "=r"(vector), "+a"(rax), "+D"(gva), "+r"(rip)
		     : [stack] "S"(stack), [entry] "r"(guest_job.entry),
		       [magic] "i"(KVM_EXCEPTION_MAGIC)
		     : "rbx", "rcx", "rdx", "r8", "r9", "r11", "memory", "cc");
	*result = rax;
	return vector;
}

void guest_job_loop(void)
{
	uint64_t vector, result;

	for (;;) {
		vector = run_guest_job(&result);
		GUEST_SYNC_ARGS(vector, result, 0, 0, 0);
	}
}

void vm_set_guest_job(struct kvm_vm *vm, const struct guest_job *job)
{
	write_guest_global(vm, guest_job, *job);
}
