// SPDX-License-Identifier: GPL-2.0-only
/* What KVM itself writes to guest memory, see include/kvm_writer.h. */
#include <errno.h>
#include <string.h>

#include "hyperv.h"
#include "kvm_writer.h"
#include "processor.h"

#define MSR_KVM_WALL_CLOCK_NEW		0x4b564d00
#define MSR_KVM_SYSTEM_TIME_NEW		0x4b564d01
#define MSR_KVM_STEAL_TIME		0x4b564d03
#define MSR_KVM_PV_EOI_EN		0x4b564d04
/* Any that nobody has: in it, a guest would ask for Xen's hypercall page. */
#define MSR_XEN_HYPERCALL		0x40000200

#define FEATURE_CLOCKSOURCE2	3
#define FEATURE_STEAL_TIME	5
#define FEATURE_PV_EOI		6

#define INTERRUPT	0x55
/* Its bit is clear, and not masked, in memory that is all 0 and all 0x24. */
#define XEN_PORT	1
#define XEN_NOWHERE	(~0UL)

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

/* There may be no memory for it at present. */
static void send_xen_event(struct kvm_vcpu *vcpu)
{
	struct kvm_irq_routing_xen_evtchn event = {
		.port = XEN_PORT, .vcpu = vcpu->id,
		.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL,
	};

	__vm_ioctl(vcpu->vm, KVM_XEN_HVM_EVTCHN_SEND, &event);
}

static bool set_xen_shared_info(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_hvm_attr attr = { .type = KVM_XEN_ATTR_TYPE_SHARED_INFO };

	attr.u.shared_info.gfn = gpa == XEN_NOWHERE ? gpa : gpa >> PAGE_SHIFT;
	return !__vm_ioctl(vcpu->vm, KVM_XEN_HVM_SET_ATTR, &attr);
}

static bool set_xen_vcpu_info(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_vcpu_attr attr = { .type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO, .u.gpa = gpa };

	return !__vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

/* KVM keeps it for a guest of Xen's only, which has no steal time of KVM's. */
static bool set_xen_run_state(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct kvm_xen_vcpu_attr attr = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR, .u.gpa = gpa };
	struct kvm_xen_hvm_config config = {};

	if (gpa != XEN_NOWHERE) {
		config.msr = MSR_XEN_HYPERCALL;
		config.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL;
	}
	vm_ioctl(vcpu->vm, KVM_XEN_HVM_CONFIG, &config);
	return !__vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &attr);
}

static const struct writer {
	const char *name;
	uint32_t msr;
	uint64_t enable;
	unsigned int feature;	/* bit of EAX; 0: KVM_CAP_HYPERV */
	unsigned int xen;	/* flag of KVM_CAP_XEN_HVM, and what is then instead of the MSR */
	bool (*set)(struct kvm_vcpu *vcpu, gpa_t gpa);
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
	[KVM_WRITES_XEN_WALL_CLOCK] = {
		.name = "Xen wall clock", .xen = KVM_XEN_HVM_CONFIG_SHARED_INFO,
		.set = set_xen_shared_info },
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
	[KVM_WRITES_XEN_CLOCK] = {
		.name = "Xen clock", .xen = KVM_XEN_HVM_CONFIG_SHARED_INFO,
		.set = set_xen_vcpu_info, .trigger = update_clock },
	[KVM_WRITES_XEN_EVENTS] = {
		.name = "Xen event channels", .xen = KVM_XEN_HVM_CONFIG_EVTCHN_SEND,
		.set = set_xen_shared_info, .trigger = send_xen_event },
	/* At each KVM_RUN. */
	[KVM_WRITES_XEN_RUN_STATE] = {
		.name = "Xen run state", .xen = KVM_XEN_HVM_CONFIG_RUNSTATE,
		.set = set_xen_run_state },
};

bool kvm_writer_is_logged(enum kvm_writer w)
{
	return !writers[w].xen || w == KVM_WRITES_XEN_RUN_STATE;
}

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

static bool kernel_offers(const struct writer *w)
{
	const struct kvm_cpuid_entry2 *e;

	if (w->xen)
		return kvm_check_cap(KVM_CAP_XEN_HVM) & w->xen;
	if (!w->feature)
		return kvm_has_cap(KVM_CAP_HYPERV);
	e = get_cpuid_entry(kvm_get_supported_cpuid(), CPUID_KVM_FEATURES, 0);
	return e && e->eax & BIT(w->feature);
}

bool kvm_writer_is_offered(enum kvm_writer w)
{
	if (w == KVM_WRITES_END_OF_INTERRUPT && cpu_has_apicv()) {
		pr_info("%s: not where the CPU has an APIC of its own", writers[w].name);
		return false;
	}
	if (!kernel_offers(&writers[w])) {
		pr_info("%s: this kernel does not offer it", writers[w].name);
		return false;
	}
	return true;
}

int __kvm_writer_start(struct kvm_vcpu *vcpu, enum kvm_writer w, gpa_t gpa)
{
	if (!kvm_writer_is_offered(w))
		return -1;
	if (writers[w].xen)
		return writers[w].set(vcpu, gpa);
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
			   "%s: KVM offers it, but refuses gpa 0x%lx (%s)", writers[w].name, gpa,
			   writers[w].xen ? strerror(errno) : "KVM_SET_MSRS");
	return true;
}

void kvm_writer_trigger(struct kvm_vcpu *vcpu, enum kvm_writer w)
{
	if (writers[w].trigger)
		writers[w].trigger(vcpu);
}

void kvm_writer_stop(struct kvm_vcpu *vcpu, enum kvm_writer w)
{
	if (writers[w].xen)
		writers[w].set(vcpu, XEN_NOWHERE);
	else
		_vcpu_set_msr(vcpu, writers[w].msr, 0);
}
