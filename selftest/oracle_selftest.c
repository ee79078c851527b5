// SPDX-License-Identifier: GPL-2.0-only
/*
 * Feeds the oracles real faults on a real KVM: each case below must fail, with
 * the right oracle and a text that names what a maintainer needs. For the lab
 * (or a bare-metal host of your own): it makes the kernel log backtraces.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>

#include "fd_passing.h"
#include "oracle.h"
#include "selftest.h"

#define GAP	0x200000UL
#define SLOT	1
#define RAM	0x80000000UL

#define REQUIRE_KVM()							\
do {									\
	char __reason[CASE_REASON_SIZE];				\
									\
	if (!kvm_host_usable(__reason, sizeof(__reason)))		\
		SKIP(return, "%s", __reason);				\
} while (0)

/* ---- exits ---- */

static void guest_reads_gap(void)
{
	GUEST_ASSERT_EQ(guest_read32(GAP), 0x1234);
	GUEST_DONE();
}

static struct kvm_vm *gap_vm(struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = vm_create_with_one_vcpu(vcpu, guest_code);

	virt_map(vm, GAP, GAP, 2);
	return vm;
}

static void body_guest_assert(const void *variant)
{
	struct kvm_vcpu *vcpu;

	(void)variant;
	gap_vm(&vcpu, guest_reads_gap);
	vcpu_expect_mmio_read(vcpu, GAP, 4, 0x1235);
	vcpu_expect_done(vcpu);
}

static void body_wrong_exit(const void *variant)
{
	struct kvm_vcpu *vcpu;

	(void)variant;
	gap_vm(&vcpu, guest_reads_gap);
	vcpu_expect_done(vcpu);
}

static void body_wrong_mmio(const void *variant)
{
	struct kvm_vcpu *vcpu;

	(void)variant;
	gap_vm(&vcpu, guest_reads_gap);
	vcpu_expect_mmio_read(vcpu, GAP + 8, 4, 0x1234);
}

TEST(guest_assertion)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_guest_assert);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data", "guest of vCPU 0",
			"is 0x1235", "slot 0: gpa 0x1000000", "rip ");
}

TEST(exit_that_was_not_asked_for)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_wrong_exit);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: exit", "want GUEST_DONE",
			"got KVM_EXIT_MMIO read of 4 bytes at gpa 0x200000",
			"gap between the bottom and slot 0's start");
	RUN_CASE(&c, .body = body_wrong_mmio);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data", "at gpa 0x200008",
			"got KVM_EXIT_MMIO read of 4 bytes at gpa 0x200000");
}

static void guest_fetches_gap(void)
{
	((void (*)(void))GAP)();
}

static void body_internal_error(const void *variant)
{
	struct kvm_vcpu *vcpu;

	(void)variant;
	gap_vm(&vcpu, guest_fetches_gap);
	vcpu_run(vcpu);
}

TEST(internal_error)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_internal_error);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: exit",
			"KVM_EXIT_INTERNAL_ERROR suberror 1 EMULATION");
}

static void guest_triple_faults(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) idt = {};

	asm volatile("lidt %0; ud2" : : "m"(idt));
}

static void guest_takes_exception(void)
{
	guest_read8(0x123456789000);
}

static void body_run(const void *guest_code)
{
	struct kvm_vcpu *vcpu;

	vm_create_with_one_vcpu(&vcpu, (void *)guest_code);
	vcpu_run(vcpu);
}

TEST(triple_fault)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_run, .variant = guest_triple_faults);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: exit", "KVM_EXIT_SHUTDOWN",
			"triple fault");
}

TEST(unexpected_exception_in_the_guest)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_run, .variant = guest_takes_exception);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: exit", "vector 14 #PF",
			"cr2 0x123456789000");
}

/* ---- guest memory that nobody writes ---- */

static void guest_done(void)
{
	GUEST_DONE();
}

static void body_overwritten_code(const void *variant)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_done);

	vcpu_expect_done(vcpu);
	*(uint8_t *)addr_gva2hva(vm, (gva_t)guest_done) ^= 0xff;
	if (variant)
		kvm_vm_free(vm);
}

TEST(overwritten_guest_code)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_overwritten_code);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data", "guest code or constants were overwritten");
	RUN_CASE(&c, .body = body_overwritten_code, .variant = "free");
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data", "guest code or constants were overwritten");
}

/* ---- errno ---- */

static void guest_reads_ram(void)
{
	guest_read8(RAM);
	GUEST_DONE();
}

static void body_efault(const void *variant)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	(void)variant;
	vm = vm_create_with_one_vcpu(&vcpu, guest_reads_ram);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RAM, SLOT, 1, 0);
	virt_map(vm, RAM, RAM, 1);
	munmap(addr_gpa2hva(vm, RAM), PAGE_SIZE);
	vcpu_run(vcpu);
}

TEST(kvm_run_errno)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_efault);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: errno",
			"KVM_RUN of vCPU 0 returned -1, errno 14 (Bad address)",
			"slot 1: gpa 0x80000000", "2 memslot updates");
}

/* ---- hang ---- */

static void guest_spins(void)
{
	for (;;)
		cpu_relax();
}

TEST(guest_that_hangs)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_run, .variant = guest_spins, .timeout = 1);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: hang", "vCPU 0 at rip 0x");
}

/* ---- kernel log ---- */

static void body_backtrace(const void *variant)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY);

	(void)variant;
	if (fd < 0 || write(fd, "l", 1) != 1)
		test_skip("cannot write to /proc/sysrq-trigger");
	close(fd);
}

TEST(kernel_log_with_a_backtrace)
{
	struct captured c;

	REQUIRE_KVM();
	RUN_CASE(&c, .body = body_backtrace);
	if (WEXITSTATUS(c.status) == CASE_SKIP)
		SKIP(return, "needs root and sysrq");
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: log", "Call Trace:",
			"kernel log of the case:");
}

/* ---- statistics and leaks ---- */

/* Stays behind in the address space of the case's process. */
static int share_address_space(void *arg)
{
	(void)arg;
	setpgid(0, 0);
	return pause();
}

static void body_address_space_stays(const void *variant)
{
	static char stack[16384] __attribute__((aligned(16)));
	struct kvm_vcpu *vcpu;

	(void)variant;
	gap_vm(&vcpu, guest_reads_gap);
	vcpu_expect_mmio_read(vcpu, GAP, 4, 0x1234);
	TEST_ERROR_ON(clone(share_address_space, stack + sizeof(stack),
			    CLONE_VM | SIGCHLD, NULL) < 0, "clone");
}

TEST(pages_still_mapped_after_death)
{
	struct captured c;

	REQUIRE_KVM();
	if (!kvm_has_cap(KVM_CAP_BINARY_STATS_FD))
		SKIP(return, "needs KVM_CAP_BINARY_STATS_FD");
	RUN_CASE(&c, .body = body_address_space_stays);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: stats",
			"address space is gone, but pages_4k is");
}

/* Hands a VM to somebody outside the case, who keeps it. */
static void body_leaks_vm(const void *variant)
{
	struct kvm_vm *vm = vm_create(1);

	send_fd(*(const int *)variant, vm->fd);
}

TEST(vm_left_behind)
{
	struct captured c;
	int socks[2];

	REQUIRE_KVM();
	if (geteuid())
		SKIP(return, "needs root");
	/* A descriptor in flight keeps the VM as well as one that is open. */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, socks));
	RUN_CASE(&c, .body = body_leaks_vm, .variant = &socks[0]);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: leak",
			"left behind: VMs in debugfs: 0 before the case, 1 after it",
			"references to the vendor module");
	close(socks[0]);
	close(socks[1]);
}

/* A pipe takes a reference to the page, as KVM does while it uses one. */
static void body_keeps_page(const void *variant)
{
	struct backing_mem mem;
	struct iovec iov;
	int fds[2];

	(void)variant;
	backing_mem_alloc(&mem, VM_MEM_SRC_SHMEM, 4 * PAGE_SIZE, 0);
	memset(mem.hva, 1, mem.size);
	iov = (struct iovec){ (char *)mem.hva + PAGE_SIZE, PAGE_SIZE };
	TEST_ERROR_ON(pipe(fds) || vmsplice(fds[1], &iov, 1, 0) != PAGE_SIZE, "vmsplice");
	backing_mem_free(&mem);
}

TEST(page_reference_left_behind)
{
	struct captured c;

	RUN_CASE(&c, .body = body_keeps_page);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: leak",
			"somebody has a reference to a page of it");
}

/* ---- module parameters ---- */

#define PARAM	"nx_huge_pages_recovery_ratio"

/* What stays behind has the guardian's pipe, too, and must not keep it waiting. */
static void body_changes_param(const void *variant)
{
	kvm_set_module_param("kvm", PARAM, "7");
	TEST_ASSERT_EQ(kvm_get_module_param_integer("kvm", PARAM), 7);
	if (!fork()) {
		setpgid(0, 0);
		pause();
	}
	if (variant)
		raise(SIGKILL);
}

TEST(module_param_is_put_back)
{
	int before = kvm_get_module_param_integer("kvm", PARAM);
	struct captured c;

	REQUIRE_KVM();
	if (geteuid())
		SKIP(return, "needs root");
	RUN_CASE(&c, .body = body_changes_param);
	EXPECT_CAPTURED(&c, CASE_FAIL, "left process");
	EXPECT_EQ(before, kvm_get_module_param_integer("kvm", PARAM));
	RUN_CASE(&c, .body = body_changes_param, .variant = PARAM);
	EXPECT_CAPTURED(&c, CASE_FAIL, "signal 9");
	EXPECT_EQ(before, kvm_get_module_param_integer("kvm", PARAM));
}

SELFTEST_MAIN(oracle_selftest)
