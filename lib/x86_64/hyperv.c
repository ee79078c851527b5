// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's hypercalls, see hyperv.h. */
#include <stdlib.h>

#include "hyperv.h"

#define HV_MSR_HYPERCALL_AVAILABLE	BIT(5)
#define HV_REMOTE_TLB_FLUSH		BIT(2)
#define HV_EX_PROCESSOR_MASKS		BIT(11)

void vcpu_enable_hyperv(struct kvm_vcpu *vcpu)
{
	static const struct kvm_cpuid_entry2 leafs[] = {
		/* "Microsoft Hv", "Hv#1" */
		{ .function = 0x40000000, .eax = 0x40000004, .ebx = 0x7263694d,
		  .ecx = 0x666f736f, .edx = 0x76482074 },
		{ .function = 0x40000001, .eax = 0x31237648 },
		{ .function = 0x40000003, .eax = HV_MSR_HYPERCALL_AVAILABLE },
		{ .function = 0x40000004, .eax = HV_REMOTE_TLB_FLUSH | HV_EX_PROCESSOR_MASKS },
	};
	const struct kvm_cpuid2 *all = kvm_get_supported_cpuid();
	struct kvm_cpuid2 *cpuid;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + (all->nent + ARRAY_SIZE(leafs)) *
		       sizeof(cpuid->entries[0]));
	TEST_ERROR_ON(!cpuid, "no memory for CPUID");
	for (i = 0; i < all->nent; i++) {
		if (all->entries[i].function >> 8 != 0x400000)
			cpuid->entries[cpuid->nent++] = all->entries[i];
	}
	memcpy(&cpuid->entries[cpuid->nent], leafs, sizeof(leafs));
	cpuid->nent += ARRAY_SIZE(leafs);
	vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	TEST_ASSERT_EQ(_vcpu_set_msr(vcpu, HV_X64_MSR_GUEST_OS_ID, 1), 1);
}

uint64_t hyperv_hypercall(bool amd, uint64_t control, gpa_t input)
{
	register uint64_t output asm("r8") = 0;
	uint64_t ret;

	if (amd)
		asm volatile("vmmcall" : "=a"(ret), "+c"(control), "+d"(input), "+r"(output)
			     : : "memory", "r9", "r10", "r11");
	else
		asm volatile("vmcall" : "=a"(ret), "+c"(control), "+d"(input), "+r"(output)
			     : : "memory", "r9", "r10", "r11");
	return ret;
}
