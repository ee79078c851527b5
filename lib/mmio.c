// SPDX-License-Identifier: GPL-2.0-only
/* Exact comparison of an MMIO exit with the access that the guest made. */
#include <string.h>

#include "kvm_util.h"

static void mmio_mismatch(struct kvm_vcpu *vcpu, const struct mmio_access *want)
{
	char where[256], got[512], expect[192];
	enum oracle oracle = vcpu->run->exit_reason == KVM_EXIT_MMIO ?
			     ORACLE_DATA : ORACLE_EXIT;
	int n;

	vcpu_describe_exit(vcpu, got, sizeof(got));
	n = snprintf(expect, sizeof(expect), "KVM_EXIT_MMIO %s of %u bytes at gpa 0x%lx",
		     want->is_write ? "write" : "read", want->len, want->gpa);
	if (want->is_write)
		snprintf(expect + n, sizeof(expect) - n, " data 0x%lx", want->data);
	test_fail(oracle, __FILE__, __LINE__, NULL,
		  "vCPU %u: want %s (%s), got %s; %lu memslot updates so far, generation about %lu",
		  vcpu->id, expect,
		  vm_describe_gpa(vcpu->vm, want->gpa, where, sizeof(where)), got,
		  vcpu->vm->memslot_updates, vcpu->vm->memslot_generation);
}

void vcpu_check_mmio(struct kvm_vcpu *vcpu, const struct mmio_access *want)
{
	struct kvm_run *run = vcpu->run;
	uint64_t mask = want->len < 8 ? BIT_ULL(want->len * 8) - 1 : ~0ULL;
	uint64_t data = 0;

	TEST_ERROR_ON(want->len < 1 || want->len > 8, "MMIO is 1 to 8 bytes");
	if (run->exit_reason != KVM_EXIT_MMIO || run->mmio.phys_addr != want->gpa ||
	    run->mmio.len != want->len || !run->mmio.is_write != !want->is_write)
		mmio_mismatch(vcpu, want);
	if (want->is_write) {
		memcpy(&data, run->mmio.data, want->len);
		if (data != (want->data & mask))
			mmio_mismatch(vcpu, want);
	} else {
		/* What is beyond the access must not reach the guest. */
		memset(run->mmio.data, 0xa5, sizeof(run->mmio.data));
		memcpy(run->mmio.data, &want->data, want->len);
	}
}

void vcpu_expect_mmio(struct kvm_vcpu *vcpu, const struct mmio_access *want)
{
	vcpu_run(vcpu);
	vcpu_check_mmio(vcpu, want);
}
