// SPDX-License-Identifier: GPL-2.0-only
/* What a KVM_EXIT_INTERNAL_ERROR carries. */
#include "internal_error.h"
#include "test_internal.h"
#include "ucall.h"

#define POISON		0x6b6b6b6b6b6b6b6bULL
#define MAX_INSN_SIZE	15

/* Words of internal.data over which an MMIO exit puts its own. */
#define MMIO_WORDS	2

static void poison(struct kvm_run *run)
{
	size_t i = 0;

	/* The answer to an MMIO read is still to be fetched from there. */
	if (run->exit_reason == KVM_EXIT_MMIO)
		i = MMIO_WORDS;
	else
		run->internal.suberror = run->internal.ndata = ~0U;
	for (; i < ARRAY_SIZE(run->internal.data); i++)
		run->internal.data[i] = POISON;
}

void vcpu_run_poisoned(struct kvm_vcpu *vcpu)
{
	poison(vcpu->run);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !_vcpu_run(vcpu),
			   "KVM_RUN: want KVM_EXIT_INTERNAL_ERROR, got errno %d (%s)",
			   errno, strerror(errno));
}

bool vcpu_run_poisoned_for(struct kvm_vcpu *vcpu, unsigned int ms)
{
	int ret;

	poison(vcpu->run);
	ret = __vcpu_run_for(vcpu, ms);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret || errno == EINTR,
			   "KVM_RUN: want an exit or EINTR, got errno %d (%s)",
			   errno, strerror(errno));
	return !ret;
}

static void check_suberror(struct kvm_vcpu *vcpu, uint32_t suberror)
{
	const struct kvm_run *run = vcpu->run;
	struct ucall uc;
	char want[80];

	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
	    run->internal.suberror == suberror)
		return;
	get_ucall(vcpu, &uc);
	if (uc.cmd == UCALL_ABORT || uc.cmd == UCALL_UNHANDLED)
		report_guest_abort(vcpu, &uc);
	snprintf(want, sizeof(want), "KVM_EXIT_INTERNAL_ERROR suberror %u %s",
		 suberror, internal_error_str(suberror));
	vcpu_unexpected_exit(vcpu, want);
}

/*
 * What ndata counts beyond the documented fields is not ABI. That KVM wrote just
 * as many words as it says is.
 */
static void check_ndata(struct kvm_vcpu *vcpu, bool after_mmio)
{
	const struct kvm_run *run = vcpu->run;
	const uint32_t ndata = run->internal.ndata;
	size_t i;

	TEST_ASSERT(ndata <= ARRAY_SIZE(run->internal.data),
		    "ndata is %u, there is room for %zu", ndata,
		    ARRAY_SIZE(run->internal.data));
	for (i = after_mmio ? MMIO_WORDS : 0; i < ARRAY_SIZE(run->internal.data); i++)
		TEST_ASSERT((run->internal.data[i] != POISON) == (i < ndata),
			    "ndata is %u, but data[%zu] was %s", ndata, i,
			    i < ndata ? "not written" : "written");
}

static void check_insn_byte(struct kvm_vcpu *vcpu, gva_t rip, unsigned int i)
{
	uint8_t got = vcpu->run->emulation_failure.insn_bytes[i];
	gpa_t gpa = addr_gva2gpa(vcpu->vm, rip + i);
	char where[256];

	TEST_ASSERT(vm_find_gpa(vcpu->vm, gpa),
		    "insn_bytes[%u] is of gpa 0x%lx, %s", i, gpa,
		    vm_describe_gpa(vcpu->vm, gpa, where, sizeof(where)));
	TEST_ASSERT(got == *(uint8_t *)addr_gpa2hva(vcpu->vm, gpa),
		    "insn_bytes[%u] is 0x%02x, at rip 0x%lx + %u is 0x%02x", i, got,
		    rip, i, *(uint8_t *)addr_gpa2hva(vcpu->vm, gpa));
}

/*
 * "flags", the size and the bytes are ABI. Since 5.16 they are there without the
 * capability, too. KVM takes what it can get of 15 bytes from RIP on.
 */
static void check_insn(struct kvm_vcpu *vcpu, const struct internal_error *want)
{
	const uint64_t has_bytes = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	const struct kvm_run *run = vcpu->run;
	unsigned int i, size = run->emulation_failure.insn_size;
	const uint64_t flags = run->emulation_failure.flags;
	unsigned int ndata = 0;

	if (kernel_at_least(5, 16) || (want->exit_on_failure && want->insn_size))
		ndata = want->insn_size ? 3 : 1;
	TEST_ASSERT(ndata ? run->internal.ndata >= ndata : !run->internal.ndata,
		    "ndata is %u, but flags%s take %u", run->internal.ndata,
		    ndata == 3 ? " and instruction bytes" : "", ndata);
	if (!ndata)
		return;
	TEST_ASSERT(!(flags & has_bytes) == !want->insn_size,
		    "flags are 0x%lx, but %u bytes at rip 0x%lx can be read",
		    flags, want->insn_size, want->rip);
	if (!want->insn_size)
		return;
	TEST_ASSERT(size >= want->insn_size && size <= MAX_INSN_SIZE,
		    "insn_size is %u, but %u bytes at rip 0x%lx can be read", size,
		    want->insn_size, want->rip);
	for (i = 0; i < size; i++)
		check_insn_byte(vcpu, want->rip, i);
}

/*
 * Not ABI, but the same since KVM has the address: exit info, exit reason, exit
 * info, address, CPU. Under shadow paging the address that faults is virtual.
 */
static void check_delivery(struct kvm_vcpu *vcpu, const struct internal_error *want)
{
	const uint64_t *data = (const uint64_t *)vcpu->run->internal.data;
	const bool tdp = kvm_is_tdp_enabled();
	const uint64_t page = tdp ? want->page_gpa : want->page_gva;

	TEST_ASSERT(vcpu->run->internal.ndata == 5, "ndata is %u, want 5",
		    vcpu->run->internal.ndata);
	if (host_is_amd())	/* APM vol. 2 appendix C: #NPF, or #PF intercepted */
		TEST_ASSERT_EQ(data[1], tdp ? 0x400UL : 0x4eUL);
	else			/* SDM vol. 3 table 25-18: valid, and the vector */
		TEST_ASSERT((data[0] & 0x800000ff) == (0x80000000 | want->vector),
			    "IDT-vectoring information 0x%lx is not of vector %u",
			    data[0], want->vector);
	TEST_ASSERT(data[3] - page < PAGE_SIZE,
		    "the address is 0x%lx, delivery of vector %u needs 0x%lx",
		    data[3], want->vector, page);
	TEST_ASSERT(data[4] < (uint64_t)sysconf(_SC_NPROCESSORS_CONF),
		    "the CPU is 0x%lx", data[4]);
}

/* Not ABI: IDT-vectoring and interruption information, error code, CPU; VMX only. */
static void check_simultaneous(struct kvm_vcpu *vcpu, const struct internal_error *want)
{
	const uint64_t *data = (const uint64_t *)vcpu->run->internal.data;

	TEST_ASSERT(vcpu->run->internal.ndata >= 3, "ndata is %u, want 3 and more",
		    vcpu->run->internal.ndata);
	TEST_ASSERT((data[0] & 0x800000ff) == (0x80000000 | want->vector),
		    "IDT-vectoring information 0x%lx is not of vector %u", data[0],
		    want->vector);
	TEST_ASSERT((data[1] & 0x800000ff) == (0x80000000 | PF_VECTOR),
		    "interruption information 0x%lx is not of #PF", data[1]);
}

void vcpu_check_internal_error(struct kvm_vcpu *vcpu,
			       const struct internal_error *want)
{
	struct kvm_regs regs;

	check_suberror(vcpu, want->suberror);
	check_ndata(vcpu, want->after_mmio);
	if (want->suberror == KVM_INTERNAL_ERROR_EMULATION)
		check_insn(vcpu, want);
	if (want->suberror == KVM_INTERNAL_ERROR_DELIVERY_EV)
		check_delivery(vcpu, want);
	if (want->suberror == KVM_INTERNAL_ERROR_SIMUL_EX)
		check_simultaneous(vcpu, want);
	vcpu_regs_get(vcpu, &regs);
	TEST_ASSERT(regs.rip == want->rip,
		    "rip is 0x%llx, the vCPU must stand at 0x%lx", regs.rip,
		    want->rip);
}
