// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM asks for memory and gets none. Each call is made with nothing to spare, then with
 * one page, with two, until it has what it needs: so each of its allocations fails once
 * where there was enough for those before it. The call then fails with ENOMEM and
 * changes nothing, what it had got is given back, and the same call works later. A vCPU
 * goes on where it was.
 *
 * What breaks this: an error path that forgets one of the things that were made before,
 * or undoes what was not; an update that is left half-way; a device that is forgotten
 * when the bus it was on is given up.
 */
#include <linux/kvm.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "dirty_ring.h"
#include "host_usage.h"
#include "hyperv.h"
#include "kvm_test_harness.h"
#include "memory_limit.h"
#include "nested.h"
#include "processor.h"
#include "vmm.h"

KVM_TEST_SUITE(memory_limit_test,
	.needs = { .privileged = true, .timeout = 60 },
	.fixes = FIXES("90db10434b16 KVM: kvm_io_bus_unregister_dev() should never fail",
		       "f65886606c2d KVM: fix memory leak in kvm_io_bus_unregister_dev()",
		       "5d3c4c79384a KVM: Stop looking for coalesced MMIO zones if the bus is destroyed",
		       "2ee3757424be KVM: Destroy I/O bus devices on unregister failure _after_ sync'ing SRCU"));

#define SLOT		1
#define GPA		0x40000000UL
#define MOVED_GPA	0x80000000UL
#define OTHER_GPA	0xc0000000UL
#define SLOT_SIZE	(64UL * SZ_1M)
#define VALUE		0x600d600d600d600dUL
#define GAP_VALUE	0x6a9UL
#define ROUNDS		2
/* Where what may be lost is pages, of which some come and go. */
#define PAGE_ROUNDS	10

/* ---- guest ---- */

static uint64_t guest_where;

static void guest_reads(void)
{
	for (;;)
		GUEST_SYNC_ARGS(1, guest_read64(*(volatile uint64_t *)&guest_where), 0, 0, 0);
}

/* ---- a VM that must not notice ---- */

struct world {
	struct memory_limit *ml;
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	char *mem;		/* SLOT_SIZE, of which the first page is there */
	gpa_t gpa;		/* of the slot; 0: there is none */
	bool logged;
	/* What the calls take: */
	struct kvm_userspace_memory_region region;
	struct kvm_vm *bare;
	int fd[2];
	uint64_t efer;
	bool amd;		/* to ask takes memory */
};

static void world_init(struct world *w, struct memory_limit *ml)
{
	memset(w, 0, sizeof(*w));
	w->ml = ml;
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_reads);
	virt_pg_map(w->vm, GPA, GPA);
	virt_pg_map(w->vm, MOVED_GPA, MOVED_GPA);
	w->mem = mmap(NULL, SLOT_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		      -1, 0);
	TEST_ERROR_ON(w->mem == MAP_FAILED || mprotect(w->mem, PAGE_SIZE, PROT_READ | PROT_WRITE),
		      "cannot get memory for a slot");
	*(uint64_t *)w->mem = VALUE;
}

static void expect_value(struct world *w, gpa_t gpa, bool ram)
{
	const uint64_t want = ram ? VALUE : GAP_VALUE;
	struct ucall uc;

	write_guest_global(w->vm, guest_where, gpa);
	if (!ram)
		vcpu_expect_mmio_read(w->vcpu, gpa, 8, GAP_VALUE);
	vcpu_run_to_sync(w->vcpu, &uc);
	TEST_ASSERT_ORACLE(ORACLE_DATA, uc.args[1] == want,
			   "the guest reads 0x%lx at gpa 0x%lx, want 0x%lx", uc.args[1], gpa,
			   want);
}

/* Slots and logs are as they were, for the guest and for user space. */
static void world_check(void *arg)
{
	static uint8_t bits[SLOT_SIZE / PAGE_SIZE / 8];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bits };
	struct world *w = arg;
	int ret;

	expect_value(w, GPA, w->gpa == GPA);
	expect_value(w, MOVED_GPA, w->gpa == MOVED_GPA);
	ret = __vm_ioctl(w->vm, KVM_GET_DIRTY_LOG, &log);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, w->logged ? !ret : ret == -1 && errno == ENOENT,
			   "KVM_GET_DIRTY_LOG of a slot that is %slogged: %d, errno %d (%s)",
			   w->logged ? "" : "not ", ret, errno, strerror(errno));
}

static void world_free(struct world *w)
{
	kvm_vm_free(w->vm);
	munmap(w->mem, SLOT_SIZE);
}

/* ---- VMs and vCPUs ---- */

static int create_vm(void *arg)
{
	return ioctl(*(int *)arg, KVM_CREATE_VM, 0UL);
}

static void create_vms(struct memory_limit *ml)
{
	int kvm_fd = open_kvm_dev_path_or_exit();

	close(with_more_and_more_pages(ml, "KVM_CREATE_VM", create_vm, NULL, &kvm_fd));
	close(kvm_fd);
}

/*
 * Each round is a process's, which takes along what KVM has mapped into it. What the
 * kernel then holds for each of them is a leak.
 */
struct rounds {
	struct memory_limit ml;
	void (*fn)(struct memory_limit *ml);
	const char *what;
};

static void one_round(void *arg, int sock)
{
	struct rounds *r = arg;

	(void)sock;
	memory_limit_lock_memory();
	r->fn(&r->ml);
}

static void all_rounds(unsigned int n, void *arg)
{
	struct rounds *r = arg;
	struct vmm vmm;

	while (n--) {
		vmm_start(&vmm, r->what, one_round, r);
		vmm_wait(&vmm, false);
	}
}

static void expect_no_leak(unsigned int n, const char *what, void (*fn)(struct memory_limit *ml))
{
	struct rounds r = { .fn = fn, .what = what };

	memory_limit_create(&r.ml);
	breadcrumb("%s, warm up", what);
	all_rounds(1, &r);
	breadcrumb("%s", what);
	host_usage_expect_constant(n, what, all_rounds, &r);
	memory_limit_free(&r.ml);
}

KVM_TEST(vms_are_created_or_not)
{
	expect_no_leak(test_tries(ROUNDS), "VMs", create_vms);
}

static int create_vcpu(void *arg)
{
	return __vm_ioctl(((struct world *)arg)->vm, KVM_CREATE_VCPU, 1UL);
}

/* Whoever looks at all vCPUs finds those that are complete. */
static void vcpu_is_not_there(void *arg)
{
	struct kvm_clock_data now;
	struct world *w = arg;

	vm_ioctl(w->vm, KVM_GET_CLOCK, &now);
	now.flags = 0;
	vm_ioctl(w->vm, KVM_SET_CLOCK, &now);
	world_check(w);
}

static void add_vcpus(struct memory_limit *ml)
{
	struct world w;

	world_init(&w, ml);
	close(with_more_and_more_memory(w.ml, "KVM_CREATE_VCPU", create_vcpu, vcpu_is_not_there,
					&w));
	world_check(&w);
	world_free(&w);
}

KVM_TEST(vcpus_are_created_or_not)
{
	expect_no_leak(test_tries(ROUNDS), "vCPUs", add_vcpus);
}

static void add_vcpus_with_rings(struct memory_limit *ml)
{
	struct world w = { .ml = ml };

	w.vm = vm_create(2);
	dirty_ring_enable(w.vm, 4096);
	close(with_more_and_more_memory(w.ml, "KVM_CREATE_VCPU", create_vcpu, NULL, &w));
	kvm_vm_free(w.vm);
}

KVM_TEST(vcpus_with_dirty_rings_are_created_or_not,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_DIRTY_LOG_RING)))
{
	expect_no_leak(test_tries(ROUNDS), "vCPUs with dirty rings", add_vcpus_with_rings);
}

/* ---- memslots ---- */

static int set_region(void *arg)
{
	struct world *w = arg;

	return __vm_ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &w->region);
}

/*
 * A slot that goes or moves takes all page tables along, even if in the end it stays, and
 * what they were may be there to spare in the midst of a call. Here another slot does so.
 */
static void zap_page_tables(struct world *w)
{
	struct kvm_userspace_memory_region other = {
		.slot = SLOT + 1, .guest_phys_addr = OTHER_GPA, .memory_size = PAGE_SIZE,
		.userspace_addr = (uintptr_t)w->mem };

	vm_ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &other);
	other.memory_size = 0;
	vm_ioctl(w->vm, KVM_SET_USER_MEMORY_REGION, &other);
}

static void check_and_zap(void *arg)
{
	struct world *w = arg;

	world_check(w);
	zap_page_tables(w);
	memory_limit_settle(w->ml);
}

static void update(struct world *w, const char *what, gpa_t gpa, uint32_t flags)
{
	const bool zaps = w->gpa && gpa != w->gpa;

	w->region = (struct kvm_userspace_memory_region){
		.slot = SLOT, .flags = flags, .guest_phys_addr = gpa ?: GPA,
		.memory_size = gpa ? SLOT_SIZE : 0, .userspace_addr = (uintptr_t)w->mem };
	if (zaps) {
		zap_page_tables(w);
		with_more_and_more_pages(w->ml, what, set_region, check_and_zap, w);
	} else {
		with_more_and_more_memory(w->ml, what, set_region, world_check, w);
	}
	w->gpa = gpa;
	w->logged = flags & KVM_MEM_LOG_DIRTY_PAGES;
	world_check(w);
}

static void change_slots(struct memory_limit *ml)
{
	struct world w;

	world_init(&w, ml);
	world_check(&w);
	update(&w, "a slot is created", GPA, 0);
	update(&w, "a slot is logged", GPA, KVM_MEM_LOG_DIRTY_PAGES);
	update(&w, "a slot that is logged moves", MOVED_GPA, KVM_MEM_LOG_DIRTY_PAGES);
	update(&w, "a slot is logged no more", MOVED_GPA, 0);
	update(&w, "a slot moves", GPA, 0);
	update(&w, "a slot is deleted", 0, 0);
	update(&w, "a slot is created and logged", MOVED_GPA, KVM_MEM_LOG_DIRTY_PAGES);
	update(&w, "a slot that is logged is deleted", 0, 0);
	world_free(&w);
}

KVM_TEST(memslots_change_or_stay)
{
	expect_no_leak(test_tries(ROUNDS), "VMs whose slots change", change_slots);
}

/* ---- what else a VM gets ---- */

struct call {
	const char *name;
	int (*fn)(void *w);
};

#define VM_CALL(function, cmd, ...)						\
static int function(void *arg)							\
{										\
	struct world *w = arg;							\
										\
	return __vm_ioctl(w->vm, cmd, (&(__VA_ARGS__)));				\
}

VM_CALL(add_irqfd, KVM_IRQFD, (struct kvm_irqfd){ .fd = w->fd[0], .gsi = 5 })
VM_CALL(add_resampled_irqfd, KVM_IRQFD, (struct kvm_irqfd){
	.fd = w->fd[1], .gsi = 6, .flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = w->fd[0] })
VM_CALL(add_ioeventfd, KVM_IOEVENTFD, (struct kvm_ioeventfd){
	.fd = w->fd[0], .addr = GPA + SZ_1M, .len = 4 })
/* Is on two buses, where KVM can be fast. */
VM_CALL(add_ioeventfd_of_any_length, KVM_IOEVENTFD, (struct kvm_ioeventfd){
	.fd = w->fd[0], .addr = GPA + SZ_2M })
VM_CALL(add_zone, KVM_REGISTER_COALESCED_MMIO, (struct kvm_coalesced_mmio_zone){
	.addr = GPA + 3 * SZ_1M, .size = PAGE_SIZE })

static int add_vfio_device(void *arg)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int ret = __vm_ioctl(((struct world *)arg)->vm, KVM_CREATE_DEVICE, &device);

	return ret < 0 ? ret : close(device.fd);
}

static int get_stats_fd(void *arg)
{
	int fd = __vm_ioctl(((struct world *)arg)->vm, KVM_GET_STATS_FD, NULL);

	return fd < 0 ? fd : close(fd);
}

static int get_vcpu_stats_fd(void *arg)
{
	int fd = __vcpu_ioctl(((struct world *)arg)->vcpu, KVM_GET_STATS_FD, NULL);

	return fd < 0 ? fd : close(fd);
}

static int set_routing(void *arg)
{
	union {
		struct kvm_irq_routing head;
		uint8_t bytes[sizeof(struct kvm_irq_routing) +
			      64 * sizeof(struct kvm_irq_routing_entry)];
	} routing = { .head.nr = 64 };
	unsigned int i;

	for (i = 0; i < 64; i++)
		routing.head.entries[i] = (struct kvm_irq_routing_entry){
			.gsi = i, .type = KVM_IRQ_ROUTING_MSI,
			.u.msi = { .address_lo = 0xfee00000, .data = 0x40 } };
	return __vm_ioctl(((struct world *)arg)->vm, KVM_SET_GSI_ROUTING, &routing);
}

static int set_msr_filter(void *arg)
{
	static uint8_t bits[512];
	struct kvm_msr_filter filter = {
		.ranges[0] = { .flags = KVM_MSR_FILTER_READ, .nmsrs = 4096,
			       .base = 0x40000000, .bitmap = bits },
		.ranges[1] = { .flags = KVM_MSR_FILTER_WRITE, .nmsrs = 4096,
			       .base = 0x40000000, .bitmap = bits },
	};

	return __vm_ioctl(((struct world *)arg)->vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static int enable_synic(void *arg)
{
	struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC };

	return __vcpu_ioctl(((struct world *)arg)->vcpu, KVM_ENABLE_CAP, &synic);
}

/* KVM_SET_MSRS says how many it has set, and not why no more. */
static int set_msr(struct world *w, uint32_t index, uint64_t value)
{
	errno = 0;
	if (_vcpu_set_msr(w->vcpu, index, value) == 1)
		return 0;
	errno = errno ?: ENOMEM;
	return -1;
}

/* What a vCPU has for an L2 comes with EFER.SVME, or with VMXON. */
static int get_ready_for_l2(void *arg)
{
	struct kvm_nested_state vmx = {
		.size = sizeof(vmx), .format = KVM_STATE_NESTED_FORMAT_VMX,
		.hdr.vmx = { .vmxon_pa = GPA, .vmcs12_pa = ~0ULL },
	};
	struct world *w = arg;

	if (w->amd)
		return set_msr(w, MSR_EFER, w->efer | EFER_SVME);
	return __vcpu_ioctl(w->vcpu, KVM_SET_NESTED_STATE, &vmx);
}

static void make_calls(struct memory_limit *ml)
{
	static const struct call calls[] = {
		{ .name = "KVM_IRQFD", .fn = add_irqfd },
		{ .name = "KVM_IRQFD with a resamplefd", .fn = add_resampled_irqfd },
		{ .name = "KVM_IOEVENTFD", .fn = add_ioeventfd },
		{ .name = "KVM_IOEVENTFD of any length", .fn = add_ioeventfd_of_any_length },
		{ .name = "KVM_REGISTER_COALESCED_MMIO", .fn = add_zone },
		{ .name = "KVM_CREATE_DEVICE", .fn = add_vfio_device },
		{ .name = "KVM_GET_STATS_FD", .fn = get_stats_fd },
		{ .name = "KVM_GET_STATS_FD of a vCPU", .fn = get_vcpu_stats_fd },
		{ .name = "KVM_SET_GSI_ROUTING", .fn = set_routing },
		{ .name = "KVM_X86_SET_MSR_FILTER", .fn = set_msr_filter },
		{ .name = "KVM_CAP_HYPERV_SYNIC", .fn = enable_synic },
	};
	struct world w;
	unsigned int i;

	world_init(&w, ml);
	w.fd[0] = eventfd(0, EFD_CLOEXEC);
	w.fd[1] = eventfd(0, EFD_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		with_more_and_more_memory(w.ml, calls[i].name, calls[i].fn, world_check, &w);
		world_check(&w);
	}
	close(w.fd[0]);
	close(w.fd[1]);
	world_free(&w);
}

KVM_TEST(other_calls_work_or_do_not,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_BINARY_STATS_FD), NEED_CAP(KVM_CAP_HYPERV_SYNIC)))
{
	expect_no_leak(test_tries(ROUNDS), "VMs with all kinds of things", make_calls);
}

/* These may have got on so far that it cannot be tried again in the same VM. */
static void get_bare_vm(void *arg)
{
	struct world *w = arg;

	if (w->bare)
		kvm_vm_free(w->bare);
	w->bare = vm_create_barebones();
}

static int create_irqchip(void *arg)
{
	return __vm_ioctl(((struct world *)arg)->bare, KVM_CREATE_IRQCHIP, NULL);
}

/* Then the same VM gets another chance, or does without, and it is the next one's turn. */
static void there_is_no_irqchip(void *arg)
{
	struct kvm_irqchip chip = {};
	struct world *w = arg;
	int vcpu;

	for (chip.chip_id = 0; chip.chip_id < 3; chip.chip_id++)
		TEST_ASSERT_ERRNO(__vm_ioctl(w->bare, KVM_GET_IRQCHIP, &chip), ENXIO,
				  "KVM_GET_IRQCHIP when KVM_CREATE_IRQCHIP has failed");
	if (test_random() % 4)
		return;
	vcpu = __vm_ioctl(w->bare, KVM_CREATE_VCPU, 0UL);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, vcpu >= 0, "KVM_CREATE_VCPU: %s", strerror(errno));
	close(vcpu);
	get_bare_vm(w);
}

static int split_irqchip(void *arg)
{
	return __vm_enable_cap(((struct world *)arg)->bare, KVM_CAP_SPLIT_IRQCHIP, 24);
}

static void get_bare_vm_with_irqchip(void *arg)
{
	get_bare_vm(arg);
	vm_ioctl(((struct world *)arg)->bare, KVM_CREATE_IRQCHIP, NULL);
}

static int create_pit(void *arg)
{
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return __vm_ioctl(((struct world *)arg)->bare, KVM_CREATE_PIT2, &pit);
}

static void there_is_no_pit(void *arg)
{
	struct kvm_pit_state2 state;

	TEST_ASSERT_ERRNO(__vm_ioctl(((struct world *)arg)->bare, KVM_GET_PIT2, &state), ENXIO,
			  "KVM_GET_PIT2 when KVM_CREATE_PIT2 has failed");
	if (test_random() % 4 == 0)
		get_bare_vm_with_irqchip(arg);
}

static void create_chips(struct memory_limit *ml)
{
	struct world w = { .ml = ml };

	get_bare_vm(&w);
	with_more_and_more_memory(w.ml, "KVM_CAP_SPLIT_IRQCHIP", split_irqchip, NULL, &w);
	get_bare_vm(&w);
	with_more_and_more_memory(w.ml, "KVM_CREATE_IRQCHIP", create_irqchip, there_is_no_irqchip,
				  &w);
	get_bare_vm_with_irqchip(&w);
	with_more_and_more_pages(w.ml, "KVM_CREATE_PIT2", create_pit, there_is_no_pit, &w);
	kvm_vm_free(w.bare);
}

KVM_TEST(chips_are_created_or_not, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_SPLIT_IRQCHIP)))
{
	expect_no_leak(test_tries(ROUNDS), "VMs with an irqchip or without", create_chips);
}

static void get_vcpu_ready_for_l2(struct memory_limit *ml)
{
	struct kvm_sregs sregs;
	struct world w;

	world_init(&w, ml);
	vcpu_sregs_get(w.vcpu, &sregs);
	w.efer = sregs.efer;
	w.amd = host_is_amd();
	with_more_and_more_memory(w.ml, w.amd ? "EFER.SVME" : "VMXON", get_ready_for_l2,
				  world_check, &w);
	world_check(&w);
	if (w.amd)
		TEST_ASSERT_EQ(set_msr(&w, MSR_EFER, w.efer), 0);
	else
		vcpu_leave_nested(w.vcpu);
	world_free(&w);
}

KVM_TEST(vcpus_get_ready_for_an_l2_or_not)
{
	const bool nested = host_is_amd() ?
			    kvm_get_module_param_integer("kvm_amd", "nested") != 0 :
			    kvm_get_module_param_bool("kvm_intel", "nested");

	__TEST_REQUIRE(nested, "needs %s.nested=1", kvm_vendor_module());
	expect_no_leak(PAGE_ROUNDS, "vCPUs with SVM or VMX", get_vcpu_ready_for_l2);
}

/* ---- a bus that cannot shrink ---- */

enum bus_user {
	ZONE,
	PORT_ZONE,
	EVENTFD,
	PORT_EVENTFD,
	NR_BUS_USERS,
};

#define NR_OF_EACH	3

static int use_bus(struct kvm_vm *vm, enum bus_user what, unsigned int i, int fd, bool on)
{
	const bool port = what == PORT_ZONE || what == PORT_EVENTFD;
	const uint64_t addr = (port ? 0x2000 : GPA) + what * 0x100 + i * 0x10;
	struct kvm_coalesced_mmio_zone zone = { .addr = addr, .size = 4, .pio = port };
	struct kvm_ioeventfd io = {
		.fd = fd, .addr = addr, .len = 4,
		.flags = (port ? KVM_IOEVENTFD_FLAG_PIO : 0) |
			 (on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	if (what == EVENTFD || what == PORT_EVENTFD)
		return __vm_ioctl(vm, KVM_IOEVENTFD, &io);
	return on ? __vm_ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone) :
		    __vm_ioctl(vm, KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

/*
 * What KVM does with the other devices then is its own business; that has been to give
 * the bus up. But it may neither forget nor use what it has given back, and a guest's
 * access reaches user space.
 */
static void shrink_bus(struct memory_limit *ml, enum bus_user which, unsigned int device)
{
	enum bus_user what;
	struct world w;
	unsigned int i;
	int fd, ret;

	world_init(&w, ml);
	fd = eventfd(0, EFD_CLOEXEC);
	/* Who is walked over next is one of the same bus. */
	for (what = 0; what < NR_BUS_USERS; what++) {
		for (i = 0; i < NR_OF_EACH; i++)
			TEST_ASSERT_ORACLE(ORACLE_ERRNO, !use_bus(w.vm, what, i, fd, true),
					   "device %u of kind %u: %s", i, what, strerror(errno));
	}
	test_step("device %u of kind %u goes without memory", device, which);
	memory_limit_settle(ml);
	memory_limit_set(ml, 0);
	ret = use_bus(w.vm, which, device, fd, false);
	memory_limit_lift(ml);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret || errno == ENOMEM,
			   "a device of kind %u, for which there is no memory to go: %s", which,
			   strerror(errno));
	world_check(&w);
	/* Others may go, too, and come. The one that has gone is not asked for again. */
	for (what = 0; what < NR_BUS_USERS; what++) {
		for (i = 0; i < NR_OF_EACH; i++)
			use_bus(w.vm, what, i, fd, !((device + i) & 1));
	}
	world_check(&w);
	close(fd);
	world_free(&w);
}

static void shrink_buses(struct memory_limit *ml)
{
	enum bus_user which;
	unsigned int i;

	for (which = 0; which < NR_BUS_USERS; which++) {
		for (i = 0; i < NR_OF_EACH; i += 2)
			shrink_bus(ml, which, i);
	}
}

KVM_TEST(buses_that_cannot_shrink, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_COALESCED_PIO)))
{
	expect_no_leak(test_tries(ROUNDS), "VMs whose buses cannot shrink", shrink_buses);
}

KVM_TEST_MAIN()
