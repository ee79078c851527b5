// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs come and go, four at a time, each in a process of its own that dies in one
 * way or another. However many there were, the kernel then holds what it held:
 * slab objects of every kind, page tables, vmalloc and per-CPU memory, and pages
 * that nobody accounts for. The same for what fails half-way.
 *
 * What breaks this: a reference that is not given back (to an mm, a pid, an
 * eventfd, the VM), and memory that one way out of a function forgets. It need
 * not be KVM's own caches that grow.
 */
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "dirty_ring.h"
#include "dying.h"
#include "host_usage.h"
#include "kvm_test_harness.h"
#include "kvm_writer.h"
#include "nested.h"
#include "processor.h"
#include "vmm.h"

KVM_TEST_SUITE(vm_churn_test,
	.needs = { .privileged = true, .timeout = 60 },
	.fixes = FIXES("2ee3757424be KVM: Destroy I/O bus devices on unregister failure _after_ sync'ing SRCU",
		"eed3013faa40 KVM: Grab a reference to KVM for VM and vCPU stats file descriptors"));

#define ROUNDS		16
#define AT_ONCE		4

#define RAM_GPA		0x40000000UL
#define RAM_PAGES	64
#define GAP_GPA		0x80000000UL

/* ---- guest ---- */

static void guest_touches(uint64_t npages)
{
	uint64_t i;

	for (i = 0; i < npages; i++)
		guest_write64(RAM_GPA + i * PAGE_SIZE, i);
	guest_read64(GAP_GPA);
	GUEST_DONE();
}

/* ---- what each VM has ---- */

static void run_to_the_end(struct kvm_vcpu *vcpu)
{
	vcpu_args_set(vcpu, 1, (uint64_t)RAM_PAGES);
	vcpu_expect_mmio_read(vcpu, GAP_GPA, 8, 0);
	vcpu_expect_done(vcpu);
}

static struct kvm_vm *vm_with_memory(uint32_t nr_vcpus, struct kvm_vcpu *vcpus[])
{
	struct kvm_vm *vm = vm_create_with_vcpus(nr_vcpus, guest_touches, vcpus);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RAM_GPA, 1, RAM_PAGES,
				    KVM_MEM_LOG_DIRTY_PAGES);
	virt_map(vm, RAM_GPA, RAM_GPA, RAM_PAGES);
	virt_map(vm, GAP_GPA, GAP_GPA, 1);
	return vm;
}

static struct kvm_vm *live_with_mappings(void)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = vm_with_memory(2, vcpus);

	run_to_the_end(vcpus[0]);
	run_to_the_end(vcpus[1]);
	vm_mem_region_move(vm, 1, RAM_GPA + SZ_2M);
	vm_mem_region_set_flags(vm, 1, 0);
	return vm;
}

static void add_eventfds(struct kvm_vm *vm)
{
	int irq = eventfd(0, EFD_CLOEXEC), resampled = eventfd(0, EFD_CLOEXEC);
	int resample = eventfd(0, EFD_CLOEXEC), io = eventfd(0, EFD_CLOEXEC);

	vm_ioctl(vm, KVM_IRQFD, (&(struct kvm_irqfd){ .fd = irq, .gsi = 5 }));
	vm_ioctl(vm, KVM_IRQFD, (&(struct kvm_irqfd){
		.fd = resampled, .gsi = 6, .flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = resample }));
	vm_ioctl(vm, KVM_IOEVENTFD, (&(struct kvm_ioeventfd){
		.fd = io, .addr = GAP_GPA + SZ_1M, .len = 4 }));
	vm_ioctl(vm, KVM_IOEVENTFD, (&(struct kvm_ioeventfd){
		.fd = io, .addr = 0x2000, .len = 2, .flags = KVM_IOEVENTFD_FLAG_PIO }));
}

static void add_zones(struct kvm_vm *vm)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = GAP_GPA + SZ_2M, .size = PAGE_SIZE };
	int i;

	for (i = 0; i < 3; i++, zone.addr += SZ_2M)
		vm_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone);
	zone.addr -= SZ_2M;
	vm_ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

union two_routes {
	struct kvm_irq_routing head;
	uint8_t bytes[sizeof(struct kvm_irq_routing) +
		      2 * sizeof(struct kvm_irq_routing_entry)];
};

static void set_routing_and_filters(struct kvm_vm *vm)
{
	union two_routes routing = { .head.nr = 2 };
	struct kvm_irq_routing_entry *entry = routing.head.entries;
	static uint8_t bits[8];
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = KVM_MSR_FILTER_READ, .nmsrs = 64,
			       .base = 0x40000000, .bitmap = bits },
	};
	struct kvm_pit_config pit = {};
	int i;

	for (i = 0; i < 2; i++)
		entry[i] = (struct kvm_irq_routing_entry){
			.gsi = 5 + i, .type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = 5 + i } };
	for (i = 0; i < 2; i++) {
		vm_ioctl(vm, KVM_SET_GSI_ROUTING, &routing);
		/* Not on all kernels; here it is only to be given back. */
		__vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
	}
	vm_ioctl(vm, KVM_CREATE_PIT2, &pit);
}

static struct kvm_vm *live_with_devices(void)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_vm *vm = vm_create(2);

	if (vm_check_cap(vm, KVM_CAP_DIRTY_LOG_RING) > 0)
		dirty_ring_enable(vm, DIRTY_RING_MIN);
	vm_vcpu_add(vm, 0, guest_touches);
	vm_vcpu_add(vm, 1, guest_touches);
	add_eventfds(vm);
	add_zones(vm);
	set_routing_and_filters(vm);
	__vm_ioctl(vm, KVM_CREATE_DEVICE, &device);
	ioctl(vm->vcpus[0]->fd, KVM_GET_STATS_FD, NULL);
	return vm;
}

static void set_pmu_filter(struct kvm_vm *vm, unsigned int nr)
{
	static union {
		struct kvm_pmu_event_filter head;
		uint8_t bytes[sizeof(struct kvm_pmu_event_filter) + 64 * sizeof(uint64_t)];
	} filter;
	unsigned int i;

	filter.head.action = KVM_PMU_EVENT_DENY;
	filter.head.nevents = nr;
	for (i = 0; i < nr; i++)
		filter.head.events[i] = i;
	/* Since 5.4, and here it is only to be given back, as is the rest. */
	__vm_ioctl(vm, KVM_SET_PMU_EVENT_FILTER, &filter);
}

static void add_hyperv(struct kvm_vm *vm)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC };
	struct kvm_hyperv_eventfd args = { .conn_id = 1 };
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		__vcpu_ioctl(vm->vcpus[i], KVM_ENABLE_CAP, &synic);
	for (i = 0; i < 3; i++) {
		args.conn_id++;
		args.fd = eventfd(0, EFD_CLOEXEC);
		__vm_ioctl(vm, KVM_HYPERV_EVENTFD, &args);
	}
	args.flags = KVM_HYPERV_EVENTFD_DEASSIGN;
	__vm_ioctl(vm, KVM_HYPERV_EVENTFD, &args);
}

/* VMs whose interrupt controllers are not KVM's, or not all of them. */
static void add_bare_vms(void)
{
	struct kvm_vm *bare = vm_create_barebones(), *split = vm_create_barebones();

	__vm_enable_cap(split, KVM_CAP_SPLIT_IRQCHIP, 24);
	if (__vm_ioctl(bare, KVM_CREATE_VCPU, 0UL) < 0 ||
	    __vm_ioctl(split, KVM_CREATE_VCPU, 0UL) < 0)
		test_fail(ORACLE_ERRNO, __FILE__, __LINE__, NULL,
			  "KVM_CREATE_VCPU of a VM without an irqchip: errno %d (%s)", errno,
			  strerror(errno));
}

static struct kvm_vm *live_with_paravirt(void)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = vm_with_memory(2, vcpus);
	enum kvm_writer w;

	vm_kvm_writers_init(vm);
	/* Interrupts need a guest that takes them; with Xen's state there is no steal time. */
	for (w = 0; w < NR_KVM_WRITERS; w++) {
		if (w == KVM_WRITES_END_OF_INTERRUPT || w == KVM_WRITES_XEN_RUN_STATE)
			continue;
		kvm_writer_start(vcpus[0], w, RAM_GPA + w * PAGE_SIZE);
		kvm_writer_start(vcpus[1], w, RAM_GPA + (w + NR_KVM_WRITERS) * PAGE_SIZE);
	}
	add_hyperv(vm);
	set_pmu_filter(vm, 64);
	set_pmu_filter(vm, 60);
	add_bare_vms();
	run_to_the_end(vcpus[0]);
	run_to_the_end(vcpus[1]);
	return vm;
}

/* ---- what fails half-way ---- */

static void expect_no_vcpu(struct kvm_vm *vm, uint64_t id, int err)
{
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_CREATE_VCPU, id), err,
			  "KVM_CREATE_VCPU(%lu)", id);
}

/* All that a vCPU or a device is was made when there is no fd for it. */
static void fail_for_want_of_fds(struct kvm_vm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	TEST_ERROR_ON(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
	TEST_ASSERT_ERRNO(ioctl(vm->kvm_fd, KVM_CREATE_VM, 0UL), EMFILE,
			  "KVM_CREATE_VM without fds");
	expect_no_vcpu(vm, 5, EMFILE);
	expect_no_vcpu(vm, 6, EMFILE);
	if (__vm_ioctl(vm, KVM_CREATE_DEVICE, &device) == 0 || errno != EMFILE)
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, errno == ENODEV,
				   "KVM_CREATE_DEVICE without fds: errno %d (%s)", errno,
				   strerror(errno));
	if (vm->stats_fd >= 0)
		TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_GET_STATS_FD, NULL), EMFILE,
				  "KVM_GET_STATS_FD without fds");
	TEST_ERROR_ON(setrlimit(RLIMIT_NOFILE, &old), "setrlimit");
}

static void fail_eventfds(struct kvm_vm *vm)
{
	int fd = eventfd(0, EFD_CLOEXEC), resample = eventfd(0, EFD_CLOEXEC);
	struct kvm_irqfd irqfd = { .fd = fd, .gsi = 5 };
	struct kvm_ioeventfd io = { .fd = fd, .addr = GAP_GPA, .len = 4 };

	vm_ioctl(vm, KVM_IRQFD, &irqfd);
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_IRQFD, &irqfd), EBUSY,
			  "KVM_IRQFD with an eventfd in use");
	irqfd.flags = KVM_IRQFD_FLAG_RESAMPLE;
	irqfd.resamplefd = resample;
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_IRQFD, &irqfd), EBUSY,
			  "KVM_IRQFD with an eventfd in use and a resamplefd");
	irqfd.resamplefd = vm->fd;
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_IRQFD, &irqfd), EINVAL,
			  "KVM_IRQFD with a resamplefd that is no eventfd");
	irqfd.fd = vm->fd;
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_IRQFD, &irqfd), EINVAL,
			  "KVM_IRQFD with an fd that is no eventfd");
	vm_ioctl(vm, KVM_IOEVENTFD, &io);
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_IOEVENTFD, &io), EEXIST,
			  "KVM_IOEVENTFD where one is");
	io.flags = KVM_IOEVENTFD_FLAG_DEASSIGN;
	vm_ioctl(vm, KVM_IOEVENTFD, &io);
}

static void fail_memslots(struct kvm_vm *vm)
{
	struct kvm_userspace_memory_region r = {
		.slot = 7, .guest_phys_addr = VM_SYS_GPA + PAGE_SIZE, .memory_size = SZ_2M,
		.userspace_addr = (uintptr_t)vm->regions->mem.hva,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
	};

	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION, &r), EEXIST,
			  "KVM_SET_USER_MEMORY_REGION over slot 0");
}

/* An entry that is good, and one that is not. */
static void fail_routing(struct kvm_vm *vm)
{
	union two_routes routing = { .head.nr = 2 };
	struct kvm_irq_routing_entry *entry = routing.head.entries;

	entry[0] = (struct kvm_irq_routing_entry){
		.gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = KVM_IRQCHIP_IOAPIC, .pin = 5 } };
	entry[1] = entry[0];
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_GSI_ROUTING, &routing), EINVAL,
			  "KVM_SET_GSI_ROUTING with two of the same");
	entry[1].gsi = 6;
	entry[1].u.irqchip.irqchip = 77;
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_GSI_ROUTING, &routing), EINVAL,
			  "KVM_SET_GSI_ROUTING to an irqchip that is not");
	entry[1].type = 77;
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_GSI_ROUTING, &routing), EINVAL,
			  "KVM_SET_GSI_ROUTING of a type that is not");
}

static void fail_filters(struct kvm_vm *vm)
{
	static uint8_t bits[8];
	struct kvm_msr_filter msrs = {
		.ranges[0] = { .flags = KVM_MSR_FILTER_READ, .nmsrs = 64,
			       .base = 0x40000000, .bitmap = bits },
		.ranges[1] = { .flags = KVM_MSR_FILTER_READ, .nmsrs = ~0U, .bitmap = bits },
	};
	struct kvm_pmu_event_filter events = { .action = 77 };

	/* Not on all kernels; where there is none, that is an error as well. */
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, __vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &msrs),
			   "KVM_X86_SET_MSR_FILTER takes 2^32 - 1 MSRs");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, __vm_ioctl(vm, KVM_SET_PMU_EVENT_FILTER, &events),
			   "KVM_SET_PMU_EVENT_FILTER takes an action that is none");
}

/* Virtual addresses of a width that no CPU has. */
static void fail_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = kvm_get_supported_cpuid();
	struct kvm_cpuid_entry2 *e = (void *)get_cpuid_entry(cpuid, 0x80000008, 0);
	uint32_t eax;

	if (!e)
		return;
	eax = e->eax;
	e->eax = (eax & ~0xff00U) | 39 << 8;
	TEST_ASSERT_ERRNO(__vcpu_ioctl(vcpu, KVM_SET_CPUID2, cpuid), EINVAL,
			  "KVM_SET_CPUID2 with 39 bits of virtual addresses");
	e->eax = eax;
}

/* A vCPU that was not made must not count: the irqchip is for VMs without any. */
static void fail_before_irqchip(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	TEST_ERROR_ON(setrlimit(RLIMIT_NOFILE, &none), "setrlimit");
	expect_no_vcpu(vm, 0, EMFILE);
	TEST_ERROR_ON(setrlimit(RLIMIT_NOFILE, &old), "setrlimit");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !__vm_ioctl(vm, KVM_CREATE_IRQCHIP, 0),
			   "KVM_CREATE_IRQCHIP after a vCPU could not be created: errno %d (%s)",
			   errno, strerror(errno));
	kvm_vm_free(vm);
}

static struct kvm_vm *live_with_failures(void)
{
	struct kvm_vcpu *vcpus[1];
	struct kvm_vm *vm;
	unsigned int i;

	fail_before_irqchip();
	vm = vm_with_memory(1, vcpus);
	TEST_ASSERT_ERRNO(ioctl(vm->kvm_fd, KVM_CREATE_VM, ~0UL), EINVAL,
			  "KVM_CREATE_VM of a type that is not");
	expect_no_vcpu(vm, 0, EEXIST);
	expect_no_vcpu(vm, 0, EEXIST);
	fail_for_want_of_fds(vm);
	fail_eventfds(vm);
	fail_memslots(vm);
	fail_routing(vm);
	fail_filters(vm);
	for (i = 0; i < 4; i++)
		fail_cpuid(vcpus[0]);
	run_to_the_end(vcpus[0]);
	return vm;
}

/* A vCPU that has been in L1 and is in L2, which had a large page. */
static struct kvm_vm *live_with_an_l2(void)
{
	static struct nested n;
	struct nested_cpu *cpu = &n.cpu[0];

	nested_create(&n, 1, true);
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS_THP, NESTED_GPA, NESTED_SLOT,
				    SZ_2M / PAGE_SIZE, 0);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_2M, NESTED_RWX);
	l2_write(cpu, 0, 1);
	nested_run(cpu, "L2 writes");
	vm_mem_region_set_flags(n.vm, NESTED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	l2_write(cpu, PAGE_SIZE, 2);
	nested_run_in_l2(cpu, "L2 writes and stays");
	return n.vm;
}

/* ---- churn ---- */

FIXTURE_VARIANT(churn) {
	struct kvm_vm *(*live)(void);
	bool nested;
};
KVM_FIXTURE(churn)

FIXTURE_VARIANT_ADD(churn, mappings) { .live = live_with_mappings };
FIXTURE_VARIANT_ADD(churn, devices) { .live = live_with_devices };
FIXTURE_VARIANT_ADD(churn, paravirt) { .live = live_with_paravirt };
FIXTURE_VARIANT_ADD(churn, failures) { .live = live_with_failures };
FIXTURE_VARIANT_ADD(churn, l2) { .live = live_with_an_l2, .nested = true };

struct job {
	struct kvm_vm *(*live)(void);
	enum vm_death how;
};

static void vmm_main(void *arg, int sock)
{
	const struct job *job = arg;

	(void)sock;
	vm_die(job->live(), job->how);
}

static void churn(struct kvm_vm *(*live)(void), unsigned int rounds)
{
	struct job jobs[AT_ONCE];
	struct vmm vmms[AT_ONCE];
	unsigned int round, i;

	for (round = 0; round < rounds; round += AT_ONCE) {
		for (i = 0; i < AT_ONCE; i++) {
			jobs[i] = (struct job){ live, (round + i) % NR_VM_DEATHS };
			vmm_start(&vmms[i], vm_death_name(jobs[i].how), vmm_main, &jobs[i]);
		}
		for (i = 0; i < AT_ONCE; i++)
			vmm_wait(&vmms[i], jobs[i].how == VM_DEATH_SIGKILL);
	}
}

static void churn_variant(unsigned int rounds, void *arg)
{
	churn(*(struct kvm_vm *(**)(void))arg, rounds);
}

KVM_TEST_F(churn, the_host_stays_as_it_was)
{
	struct kvm_vm *(*live)(void) = variant->live;
	struct nested n;

	if (variant->nested) {	/* or it is skipped */
		nested_create(&n, 1, true);
		nested_free(&n);
	}
	breadcrumb("warm up");
	churn(live, 2 * AT_ONCE);
	breadcrumb("create and destroy VMs");
	host_usage_expect_constant(align_up(test_tries(ROUNDS), AT_ONCE),
				   "VMs", churn_variant, &live);
}

KVM_TEST_MAIN()
