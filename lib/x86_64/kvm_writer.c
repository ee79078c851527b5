// SPDX-License-Identifier: GPL-2.0-only
/* What KVM itself writes to guest memory, see include/kvm_writer.h. */
#include "hyperv.h"
#include "kvm_writer.h"
#include "processor.h"

#define MSR_KVM_WALL_CLOCK_NEW		0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW		0x4b564d01
#define MSR_KVM_STEAL_TIME		0x4b564d03
#define MSR_KVM_PV_EOI_EN		0x4b564d04


#define CPUID_KVM_FEATURES	0x40000001
#define FEATURE_CLOCKSOURCE2	3
#define FEATURE_STEAL_TIME	5
#define FEATURE_PV_EOI		6

#define INTERRUPT	0x55

#define LAPIC_REG(state, reg)	(*(uint32_t *)&(state).regs[reg])
#define APIC_SPIV	0xf0
#define APIC_ISR	0x100
#define APIC_IRR	0x200

static void update_clock(struct kvm_vcpu *vcpu)
{
	struct kvm_clock_data now;

	vm_ioctl(vcpu->vm, KVM_GET_CLOCK, &now);
	now.flags = 0;
	vm_ioctl(vcpu->vm, KVM_SET_CLOCK, &now);
}

/* An interrupt that is in service when the guest has it: it could tell its end so. */
static void request_interrupt(struct kvm_vcpu *vcpu)
{
	const unsigned int bank = INTERRUPT / 32 * 0x10;
	struct kvm_lapic_state state;

	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &state);
	LAPIC_REG(state, APIC_SPIV) = 0x1ff;
	LAPIC_REG(state, APIC_ISR + bank) = 0;
	LAPIC_REG(state, APIC_IRR + bank) = BIT(INTERRUPT % 32);
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &state);
}

static void guest_interrupt(struct ex_regs *regs)
{
	(void)regs;
}

static const struct writer {
	const char *name;
	uint32_t msr;
	uint64_t enable;
	unsigned int feature;	/* bit of EAX; 0: KVM_CAP_HYPERV */
	void (*trigger)(struct kvm_vcpu *vcpu);
} writers[NR_KVM_WRITERS] = {
	[KVM_WRITES_WALL_CLOCK] = {
		.name = "wall clock", .msr = MSR_KVM_WALL_CLOCK_NEW,
		.feature = FEATURE_CLOCKSOURCE2 },
	[KVM_WRITES_HYPERCALL_PAGE] = {
		.name = "Hyper-V hypercall page", .msr = HV_X64_MSR_HYPERCALL, .enable = 1 },
	[KVM_WRITES_ASSIST_PAGE] = {
		.name = "Hyper-V assist page", .msr = HV_X64_MSR_VP_ASSIST_PAGE, .enable = 1 },
	[KVM_WRITES_TSC_PAGE] = {
		.name = "Hyper-V TSC page", .msr = HV_X64_MSR_REFERENCE_TSC, .enable = 1 },
	[KVM_WRITES_CLOCK] = {
		.name = "kvmclock", .msr = MSR_KVM_SYSTEM_TIME_NEW, .enable = 1,
		.feature = FEATURE_CLOCKSOURCE2,
		.trigger = update_clock },
	/* At each KVM_RUN. */
	[KVM_WRITES_STEAL_TIME] = {
		.name = "steal time", .msr = MSR_KVM_STEAL_TIME, .enable = 1,
		.feature = FEATURE_STEAL_TIME },
	[KVM_WRITES_END_OF_INTERRUPT] = {
		.name = "end of interrupt", .msr = MSR_KVM_PV_EOI_EN, .enable = 1,
		.feature = FEATURE_PV_EOI,
		.trigger = request_interrupt },
};

const char *kvm_writer_name(enum kvm_writer w)
{
	return writers[w].name;
}

void vm_kvm_writers_init(struct kvm_vm *vm)
{
	vm_install_exception_handler(vm, INTERRUPT, guest_interrupt);
}

static bool cpu_has_apicv(void)
{
	return host_is_amd() ? kvm_get_module_param_bool("kvm_amd", "avic") :
			       kvm_get_module_param_bool("kvm_intel", "enable_apicv");
}

static bool is_offered(const struct writer *w)
{
	const struct kvm_cpuid_entry2 *e =
		get_cpuid_entry(kvm_get_supported_cpuid(), CPUID_KVM_FEATURES, 0);

	return w->feature ? e && e->eax & BIT(w->feature) : kvm_has_cap(KVM_CAP_HYPERV);
}

int __kvm_writer_start(struct kvm_vcpu *vcpu, enum kvm_writer w, gpa_t gpa)
{
	if (w == KVM_WRITES_END_OF_INTERRUPT && cpu_has_apicv()) {
		pr_info("%s: not where the CPU has an APIC of its own", writers[w].name);
		return -1;
	}
	if (!is_offered(&writers[w])) {
		pr_info("%s: this kernel does not offer it", writers[w].name);
		return -1;
	}
	/* Without one, Hyper-V's hypercalls stay off. */
	if (w == KVM_WRITES_HYPERCALL_PAGE)
		_vcpu_set_msr(vcpu, HV_X64_MSR_GUEST_OS_ID, 1);
	return _vcpu_set_msr(vcpu, writers[w].msr, gpa | writers[w].enable);
}

bool kvm_writer_start(struct kvm_vcpu *vcpu, enum kvm_writer w, gpa_t gpa)
{
	int ret = __kvm_writer_start(vcpu, w, gpa);

	if (ret < 0)
		return false;
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret == 1,
			   "%s: KVM offers it, but KVM_SET_MSRS of 0x%x, gpa 0x%lx, returned %d",
			   writers[w].name, writers[w].msr, gpa, ret);
	return true;
}

void kvm_writer_trigger(struct kvm_vcpu *vcpu, enum kvm_writer w)
{
	if (writers[w].trigger)
		writers[w].trigger(vcpu);
}

void kvm_writer_stop(struct kvm_vcpu *vcpu, enum kvm_writer w)
{
	_vcpu_set_msr(vcpu, writers[w].msr, 0);
}
