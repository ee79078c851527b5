// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many vCPUs there may be, which ids they have, and when.
 *
 * An id is below its limit and given once, however many threads ask for it; there
 * are as many vCPUs as KVM says there may be, and not one more; what must come
 * before the first vCPU is refused after it; a vCPU that is added to a VM that runs
 * sees the same memory as the others.
 *
 * Bugs of this class: an id used as an index without a look at it, a check outside
 * the lock under which it must hold, a count that is one too small or too big, a
 * vCPU that is found before it is complete.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "kvm_test_harness.h"
#include "ucall.h"
#include "userfault.h"

KVM_TEST_SUITE(vcpu_create_test,
	.fixes = FIXES("338c7dbadd26 KVM: Improve create VCPU parameter (CVE-2013-4587)"));

static int create(struct kvm_vm *vm, unsigned long id)
{
	return __vm_ioctl(vm, KVM_CREATE_VCPU, id);
}

static void expect_errno(struct kvm_vm *vm, unsigned long id, int err)
{
	TEST_ASSERT_ERRNO(create(vm, id), err, "KVM_CREATE_VCPU(0x%lx)", id);
}

static int expect_created(struct kvm_vm *vm, unsigned long id)
{
	int fd = create(vm, id);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, fd >= 0, "KVM_CREATE_VCPU(0x%lx): errno %d (%s)",
			   id, errno, strerror(errno));
	return fd;
}

/* The limit of ids; what older kernels say of the number of vCPUs is one, too. */
static unsigned long max_id(void)
{
	int max = kvm_check_cap(KVM_CAP_MAX_VCPU_ID);

	return max > 0 ? max : kvm_check_cap(KVM_CAP_MAX_VCPUS);
}

KVM_TEST(ids_have_a_limit)
{
	const unsigned long max = max_id();
	struct kvm_vm *vm = vm_create_barebones();
	int fd[3];

	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL);
	breadcrumb("vCPUs with ids around %lu", max);
	expect_errno(vm, max, EINVAL);
	expect_errno(vm, max + 1, EINVAL);
	expect_errno(vm, 0x10000, EINVAL);
	expect_errno(vm, 0x7fffffff, EINVAL);
	expect_errno(vm, 0x80000000, EINVAL);
	expect_errno(vm, 0xffffffff, EINVAL);
	fd[0] = expect_created(vm, max - 1);
	fd[1] = expect_created(vm, 0);
	fd[2] = expect_created(vm, 1);
	expect_errno(vm, max - 1, EEXIST);
	expect_errno(vm, 0, EEXIST);
	close(fd[2]);
	/* A vCPU whose fd is closed is still there. */
	expect_errno(vm, 1, EEXIST);
	close(fd[0]);
	close(fd[1]);
	kvm_vm_free(vm);
}

KVM_TEST(ids_below_the_limit_of_the_vm, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_MAX_VCPU_ID)))
{
	struct kvm_vm *vm = vm_create_barebones();
	int fd[2];

	__TEST_REQUIRE(!__vm_enable_cap(vm, KVM_CAP_MAX_VCPU_ID, 4),
		       "needs KVM_CAP_MAX_VCPU_ID that can be enabled, since 5.20");
	TEST_ASSERT_ERRNO(__vm_enable_cap(vm, KVM_CAP_MAX_VCPU_ID, 5), EINVAL,
			  "another limit of ids");
	TEST_ASSERT_ERRNO(__vm_enable_cap(vm, KVM_CAP_MAX_VCPU_ID, max_id() + 1), EINVAL,
			  "a limit of ids above the host's");
	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL);
	expect_errno(vm, 4, EINVAL);
	expect_errno(vm, 5, EINVAL);
	expect_errno(vm, max_id() - 1, EINVAL);
	fd[0] = expect_created(vm, 3);
	fd[1] = expect_created(vm, 0);
	close(fd[0]);
	close(fd[1]);
	kvm_vm_free(vm);
}

/* Each of some 1000 vCPUs costs some pages and half a millisecond, and in TCG more. */
#define MOST_VCPUS	1024

KVM_TEST(as_many_as_there_may_be, .mem_mb = 256, .timeout = 60)
{
	const unsigned int max = kvm_check_cap(KVM_CAP_MAX_VCPUS);
	static int fd[MOST_VCPUS];
	struct rlimit limit;
	struct kvm_vm *vm;
	unsigned int i;

	__TEST_REQUIRE(max <= MOST_VCPUS && max_id() > max,
		       "%u vCPUs would take too long, or more ids than there are", max);
	TEST_ERROR_ON(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = max + 64;
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	__TEST_REQUIRE(!setrlimit(RLIMIT_NOFILE, &limit), "needs %u fds: ulimit -n", max + 64);
	vm = vm_create_barebones();
	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL);
	breadcrumb("%u vCPUs", max);
	for (i = 0; i < max; i++)
		fd[i] = expect_created(vm, i);
	for (i = 0; i < 4; i++)
		expect_errno(vm, max + i, EINVAL);
	breadcrumb("%u vCPUs go", max);
	for (i = 0; i < max; i++)
		close(fd[i]);
	expect_errno(vm, max, EINVAL);
	kvm_vm_free(vm);
}

/* ---- one id, many threads ---- */

#define NR_THREADS	4
#define NR_IDS		24

static struct {
	struct kvm_vm *vm;
	pthread_barrier_t barrier;
	_Atomic int nr[NR_IDS];		/* how often it was given */
	_Atomic int bad_errno;
} contest;

static void *contend(void *arg)
{
	unsigned int id;

	(void)arg;
	for (id = 0; id < NR_IDS; id++) {
		pthread_barrier_wait(&contest.barrier);
		if (create(contest.vm, id) >= 0)
			contest.nr[id]++;
		else if (errno != EEXIST)
			contest.bad_errno = errno;
	}
	return NULL;
}

KVM_TEST(an_id_is_given_once)
{
	pthread_t threads[NR_THREADS];
	unsigned int round, i;

	for (round = 0; round < test_tries(2); round++) {
		contest.vm = vm_create_barebones();
		vm_ioctl(contest.vm, KVM_CREATE_IRQCHIP, NULL);
		memset((void *)contest.nr, 0, sizeof(contest.nr));
		pthread_barrier_init(&contest.barrier, NULL, NR_THREADS);
		breadcrumb("%u threads create the same vCPUs", NR_THREADS);
		for (i = 0; i < NR_THREADS; i++)
			TEST_ERROR_ON(pthread_create(&threads[i], NULL, contend, NULL),
				      "pthread_create");
		for (i = 0; i < NR_THREADS; i++)
			pthread_join(threads[i], NULL);
		for (i = 0; i < NR_IDS; i++)
			TEST_ASSERT_ORACLE(ORACLE_ERRNO, contest.nr[i] == 1,
					   "%u threads asked for vCPU %u, and %d got it",
					   NR_THREADS, i, contest.nr[i]);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, !contest.bad_errno,
				   "KVM_CREATE_VCPU of a vCPU that is there: errno %d (%s), want EEXIST",
				   contest.bad_errno, strerror(contest.bad_errno));
		kvm_vm_free(contest.vm);
	}
}

/* ---- before and after the first vCPU ---- */

KVM_TEST(irqchip_comes_before_the_first_vcpu)
{
	struct kvm_pit_config pit = {};
	struct kvm_vm *vm = vm_create_barebones();
	int fd;

	fd = expect_created(vm, 0);
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL), EINVAL,
			  "KVM_CREATE_IRQCHIP after a vCPU");
	if (kvm_has_cap(KVM_CAP_SPLIT_IRQCHIP))
		TEST_ASSERT_ORACLE(ORACLE_ERRNO,
				   __vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24) &&
				   (errno == EINVAL || errno == EEXIST),
				   "KVM_CAP_SPLIT_IRQCHIP after a vCPU: want EINVAL or EEXIST");
	if (kvm_has_cap(KVM_CAP_SET_BOOT_CPU_ID))
		TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_BOOT_CPU_ID, 1UL), EBUSY,
				  "KVM_SET_BOOT_CPU_ID after a vCPU");
	close(fd);
	kvm_vm_free(vm);

	vm = vm_create_barebones();
	vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL);
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_CREATE_IRQCHIP, NULL), EEXIST,
			  "KVM_CREATE_IRQCHIP again");
	vm_ioctl(vm, KVM_CREATE_PIT2, &pit);
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_CREATE_PIT2, &pit), EEXIST,
			  "KVM_CREATE_PIT2 again");
	kvm_vm_free(vm);
}

/* ---- kvm_run ---- */

/* Whether user space may read there. */
static bool is_there(const void *p)
{
	int fds[2];
	bool ret;

	TEST_ERROR_ON(pipe(fds), "pipe");
	ret = write(fds[1], p, 1) == 1;
	TEST_ERROR_ON(!ret && errno != EFAULT, "write to a pipe");
	close(fds[0]);
	close(fds[1]);
	return ret;
}

KVM_TEST(kvm_run_is_as_long_as_kvm_says)
{
	struct kvm_vm *vm = vm_create_barebones();
	long size = ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL), i;
	int fd = expect_created(vm, 0);
	/* Dirty rings are behind; they have offsets from the 64th page on. */
	char *run = mmap(NULL, 60 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	TEST_ERROR_ON(run == MAP_FAILED, "mmap of a vCPU");
	for (i = 0; i < 60; i++) {
		bool want = i * (long)PAGE_SIZE < size;

		TEST_ASSERT_ORACLE(ORACLE_DATA, is_there(run + i * PAGE_SIZE) == want,
				   "KVM_GET_VCPU_MMAP_SIZE is 0x%lx, and page %ld of the vCPU can%s be read",
				   size, i, want ? "not" : "");
	}
	munmap(run, 60 * PAGE_SIZE);
	close(fd);
	kvm_vm_free(vm);
}

/* ---- a VM that runs already ---- */

#define RAM_GPA		0x40000000UL
#define RAM_SLOT	1
#define RAM_PAGES	8

static uint64_t guest_turn;

static void guest_reads(uint64_t id)
{
	uint64_t i;

	for (;;) {
		for (i = 0; i < RAM_PAGES; i++)
			GUEST_ASSERT_EQ(guest_read64(RAM_GPA + i * PAGE_SIZE), i + 1);
		if (id)
			GUEST_SYNC(id);
		else
			(*(volatile uint64_t *)&guest_turn)++;
	}
}

static void run_until_stopped(struct kvm_vcpu *vcpu)
{
	while (vcpu_run_unless_stopped(vcpu))
		vcpu_unexpected_exit(vcpu, "a guest that reads for ever");
}

KVM_TEST(added_while_others_run)
{
	struct kvm_vm *vm = vm_create(KVM_MAX_TEST_VCPUS);
	uint64_t i, turn;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RAM_GPA, RAM_SLOT, RAM_PAGES, 0);
	virt_map(vm, RAM_GPA, RAM_GPA, RAM_PAGES);
	for (i = 0; i < RAM_PAGES; i++)
		*(uint64_t *)addr_gpa2hva(vm, RAM_GPA + i * PAGE_SIZE) = i + 1;
	vm_vcpu_add(vm, 0, guest_reads);
	vcpu_args_set(vm->vcpus[0], 1, 0UL);
	vcpu_thread_start(vm->vcpus[0], run_until_stopped);
	for (i = 1; i < KVM_MAX_TEST_VCPUS; i++) {
		breadcrumb("add vCPU %lu while vCPU 0 runs", i);
		vm_vcpu_add(vm, i, guest_reads);
		vm_mem_region_set_flags(vm, RAM_SLOT, i & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0);
		vcpu_args_set(vm->vcpus[i], 1, i);
		vcpu_expect_sync(vm->vcpus[i], i);
		turn = read_guest_global(vm, guest_turn);
		while (read_guest_global(vm, guest_turn) == turn)
			usleep(100);
		vcpu_expect_sync(vm->vcpus[1 + i / 2], 1 + i / 2);
	}
	vcpu_thread_stop(vm->vcpus[0]);
	kvm_vm_free(vm);
}

/* ---- the first run ---- */

struct first_run {
	struct kvm_vcpu *vcpu;
	void *regs;
	_Atomic int tid;
	int ret, err;
};

static void run_once(struct kvm_vcpu *vcpu)
{
	struct first_run *run = vcpu->thread_data;

	run->tid = syscall(SYS_gettid);
	run->ret = __vcpu_run(vcpu);
	run->err = errno;
}

static void *set_regs(void *arg)
{
	struct first_run *run = arg;

	TEST_ASSERT_EQ(__vcpu_ioctl(run->vcpu, KVM_SET_REGS, run->regs), 0);
	return NULL;
}

/* It waits for the vCPU, which no signal but a deadly one ends. */
static void wait_until_asleep(struct first_run *run)
{
	const unsigned int ms = test_seconds(4) * 1000;
	char path[64], state = 0;
	unsigned int i;
	FILE *f;

	for (i = 0; i < ms && state != 'D'; i++) {
		usleep(1000);
		if (!run->tid)
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", run->tid);
		f = fopen(path, "r");
		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		if (f)
			fclose(f);
	}
	TEST_ERROR_ON(state != 'D', "KVM_RUN does not wait for the vCPU: state %c", state);
}

static void guest_syncs(void)
{
	GUEST_SYNC(1);
	GUEST_SYNC(2);
}

/*
 * Since 6.14 the first KVM_RUN starts a thread, which a signal that is already there
 * prevents; then it has to be started by the next one. To have a signal there is a
 * matter of luck; but not while another call has the vCPU and waits for its argument.
 */
KVM_TEST(first_run_meets_a_signal)
{
	struct first_run run;
	struct backing_mem mem;
	struct kvm_vcpu *vcpu;
	pthread_t setter;
	struct kvm_vm *vm;
	unsigned int i;
	void *data;
	int fd;

	data = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	for (i = 0; i < 3; i++) {
		vm = vm_create_with_one_vcpu(&vcpu, guest_syncs);
		backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, 0);
		userfault_take_away(&mem);
		fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_MISSING);
		vcpu_regs_get(vcpu, data);
		run = (struct first_run){ .vcpu = vcpu, .regs = mem.hva };
		vcpu->thread_data = &run;
		TEST_ERROR_ON(pthread_create(&setter, NULL, set_regs, &run),
			      "cannot start a thread");
		userfault_wait(fd, &mem, 0);
		breadcrumb("round %u: KVM_RUN waits, and gets a signal", i);
		vcpu_thread_start(vcpu, run_once);
		wait_until_asleep(&run);
		vcpu_kick(vcpu);
		userfault_give(fd, &mem, 0, data);
		pthread_join(setter, NULL);
		vcpu_thread_join(vcpu);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, !run.ret || run.err == EINTR,
				   "the first KVM_RUN met a signal: want EINTR, or that it runs, got errno %d (%s)",
				   run.err, strerror(run.err));
		if (run.ret)
			vcpu_expect_sync(vcpu, 1);
		else
			TEST_ASSERT_ORACLE(ORACLE_EXIT, vcpu->run->exit_reason == KVM_EXIT_IO,
					   "the first KVM_RUN met a signal: want the guest's exit, got %s",
					   exit_reason_str(vcpu->run->exit_reason));
		vcpu_expect_sync(vcpu, 2);
		close(fd);
		kvm_vm_free(vm);
		backing_mem_free(&mem);
	}
	free(data);
}

KVM_TEST_MAIN()
