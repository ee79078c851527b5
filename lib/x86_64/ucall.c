// SPDX-License-Identifier: GPL-2.0-only
/* Guest to host calls through a port. */
#include <stdarg.h>
#include <string.h>

#include "processor.h"
#include "ucall.h"

void ucall(uint64_t cmd, int nargs, ...)
{
	struct ucall uc = { .cmd = cmd };
	va_list ap;
	int i;

	va_start(ap, nargs);
	for (i = 0; i < nargs && i < UCALL_MAX_ARGS; i++)
		uc.args[i] = va_arg(ap, uint64_t);
	va_end(ap);

	asm volatile("outb %%al, %w[port]"
		     : : [port] "d"(UCALL_PIO_PORT), "a"(0), "D"(&uc) : "memory");
}

uint64_t get_ucall(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_regs regs;
	struct ucall local;
	gpa_t gpa;
	size_t i;

	if (!uc)
		uc = &local;
	memset(uc, 0, sizeof(*uc));
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != UCALL_PIO_PORT)
		return UCALL_NONE;

	vcpu_regs_get(vcpu, &regs);
	/* Word by word: the stack's pages need not be neighbours in gpa. */
	for (i = 0; i < sizeof(*uc) / 8; i++) {
		if (!__addr_gva2gpa(vcpu->vm, regs.rdi + i * 8, &gpa))
			return UCALL_NONE;
		memcpy((char *)uc + i * 8, addr_gpa2hva(vcpu->vm, gpa), 8);
	}
	return uc->cmd;
}

static void report_unhandled(struct kvm_vcpu *vcpu, const struct ucall *uc)
{
	static const char *const names[32] = {
		[DE_VECTOR] = "#DE", [DB_VECTOR] = "#DB", [BP_VECTOR] = "#BP",
		[UD_VECTOR] = "#UD", [DF_VECTOR] = "#DF", [GP_VECTOR] = "#GP",
		[PF_VECTOR] = "#PF",
	};
	uint64_t vector = uc->args[0];

	test_fail(ORACLE_EXIT, __FILE__, __LINE__, NULL,
		  "guest of vCPU %u took an unexpected exception: vector %lu%s%s, error code 0x%lx, rip 0x%lx, cr2 0x%lx",
		  vcpu->id, vector, vector < 32 && names[vector] ? " " : "",
		  vector < 32 && names[vector] ? names[vector] : "",
		  uc->args[1], uc->args[2], uc->args[3]);
}

void report_guest_abort(struct kvm_vcpu *vcpu, const struct ucall *uc)
{
	char text[512];

	if (uc->cmd == UCALL_UNHANDLED)
		report_unhandled(vcpu, uc);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	/* GUEST_ASSERT() had the compiler check the format already. */
	snprintf(text, sizeof(text), (const char *)uc->args[3], uc->args[4],
		 uc->args[5], uc->args[6], uc->args[7]);
#pragma GCC diagnostic pop
	test_fail(ORACLE_DATA, (const char *)uc->args[1], uc->args[2],
		  (const char *)uc->args[0], "guest of vCPU %u: %s", vcpu->id, text);
}
