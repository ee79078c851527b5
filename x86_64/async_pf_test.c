// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU touches memory that the host must get first, from swap, from a disk, from
 * another machine: KVM has a worker get it, and halts the vCPU as if by HLT. Until
 * the page is there the guest does not go on, but events come through, others run,
 * and memslots, the VM and the vCPU may go away under the worker.
 *
 * What breaks it: a wake-up that is lost, a worker that outlives its vCPU or keeps
 * the mm, one that is told to stop before it has begun and does not give back what it
 * got, a note of the fault that stays when the fault is over, a page that is mapped by
 * where it was when the fault was taken.
 */
#include <asm/kvm_para.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "dying.h"
#include "guest_pages.h"
#include "host_usage.h"
#include "kvm_test_harness.h"
#include "userfault.h"

KVM_TEST_SUITE(async_pf_test, .needs = { .mem_mb = 64, .timeout = 10 });

#define AREA_GPA	(5 * SZ_1G)
#define NR_PAGES	32UL
#define SIZE		(NR_PAGES * PAGE_SIZE)
#define SLOT		1
#define NMI_STAGE	0x4e4d49
#define NOT_READ	0x0dd0dd0dd0dd0dd0UL
#define LATE_MS		20
#define PATIENCE_MS	(test_seconds(2) * 1000)

/* ---- memory that comes late ---- */

/* Twice as large for the guest as there is memory: a slot may move. */
struct absent {
	struct page_vm p;
	struct backing_mem mem;
	char *data;
	int fd;
	pthread_t host;
};

static gpa_t word_gpa(size_t page)
{
	return AREA_GPA + page * PAGE_SIZE + PAGE_USER_WORD * 8;
}

static uint64_t *word_of(void *mem, size_t page)
{
	return (uint64_t *)mem + page * PAGE_WORDS + PAGE_USER_WORD;
}

static void absent_create(struct absent *a, uint32_t nr_vcpus)
{
	size_t i;

	page_vm_create(&a->p, nr_vcpus, AREA_GPA, 2 * SIZE, PG_LEVEL_4K, 64);
	backing_mem_alloc(&a->mem, VM_MEM_SRC_ANONYMOUS, SIZE, AREA_GPA);
	vm_mem_region_add_backing(a->p.vm, &a->mem, a->mem.hva, AREA_GPA, SLOT, NR_PAGES, 0);
	page_area_fill(&a->p.area, 0, NR_PAGES, 1);
	for (i = 0; i < NR_PAGES; i++)
		*word_of(a->mem.hva, i) = 0xabe00000 + i;
	a->data = malloc(SIZE);
	TEST_ERROR_ON(!a->data, "no memory for a copy");
	memcpy(a->data, a->mem.hva, SIZE);
	a->fd = userfault_open(&a->mem, UFFDIO_REGISTER_MODE_MISSING);
	userfault_take_away(&a->mem);
}

static void absent_free(struct absent *a)
{
	close(a->fd);
	kvm_vm_free(a->p.vm);
	backing_mem_free(&a->mem);
	free(a->data);
}

static void give(struct absent *a, size_t page)
{
	userfault_give(a->fd, &a->mem, page, a->data);
}

static void expect_asked(struct absent *a, size_t page)
{
	size_t got = userfault_wait(a->fd, &a->mem, 0);

	TEST_ASSERT(got == page, "the guest touches page %zu, but page %zu is asked for",
		    page, got);
}

static void run_in_vain(struct kvm_vcpu *vcpu, size_t page)
{
	TEST_ASSERT_ERRNO(__vcpu_run_for(vcpu, 5), EINTR,
			  "KVM_RUN of a vCPU for which page %zu (gpa 0x%lx) is still to come",
			  page, word_gpa(page));
}

/* The vCPU has made its access, and waits, when a signal ends KVM_RUN. */
static void touch(struct absent *a, struct page_worker *w, size_t page, bool is_write)
{
	unsigned int i;

	page_worker_access(w, word_gpa(page), is_write, is_write ? ~page : NOT_READ);
	for (i = 0; i < PATIENCE_MS / 5 && !userfault_pending(a->fd); i++)
		run_in_vain(w->vcpu, page);
	expect_asked(a, page);
}

/* The page has come, and the guest goes on. */
static void expect_end(struct page_worker *w, size_t page)
{
	int ret = __vcpu_run_for(w->vcpu, PATIENCE_MS);

	TEST_ASSERT_ORACLE(ORACLE_HANG, ret >= 0 || errno != EINTR,
			   "the vCPU still waits for page %zu (gpa 0x%lx), which has come",
			   page, word_gpa(page));
	vcpu_check_exit(w->vcpu, ret);
	if (get_ucall(w->vcpu, NULL) != UCALL_SYNC)
		vcpu_unexpected_exit(w->vcpu, "GUEST_SYNC");
}

/* What the access to @page has done. */
static void check_access(struct absent *a, struct page_worker *w, size_t page)
{
	const uint64_t *want = word_of(a->data, page), *got = word_of(a->mem.hva, page);

	if (w->job->is_write)
		TEST_ASSERT(*got == ~page, "the guest has written 0x%lx to gpa 0x%lx when the page was there; the host finds 0x%lx",
			    ~page, word_gpa(page), *got);
	else
		TEST_ASSERT(w->job->value == *want, "the guest reads 0x%lx at gpa 0x%lx, the host gave 0x%lx",
			    w->job->value, word_gpa(page), *want);
}

/* The host has it after some time, whatever the case's thread does meanwhile. */
static void *give_late(void *arg)
{
	struct absent *a = arg;
	size_t i;

	usleep(LATE_MS * 1000);
	for (i = 0; i < NR_PAGES; i++)
		__userfault_give(a->fd, &a->mem, i, a->data);
	return NULL;
}

static void start_giving_late(struct absent *a)
{
	errno = pthread_create(&a->host, NULL, give_late, a);
	TEST_ERROR_ON(errno, "cannot start a thread");
}

/* ---- a vCPU that waits ---- */

static void run_access(struct kvm_vcpu *vcpu)
{
	if (vcpu_run_unless_stopped(vcpu) && get_ucall(vcpu, NULL) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
}

KVM_TEST(others_run_meanwhile)
{
	struct page_worker *waits, *runs;
	unsigned int round;
	struct absent a;
	size_t page;

	absent_create(&a, 2);
	waits = &a.p.workers[0];
	runs = &a.p.workers[1];
	for (round = 0; round < 2; round++) {
		breadcrumb("take all pages away, %u", round);
		userfault_take_away(&a.mem);
		page_area_set_round(&a.p.area, 0, NR_PAGES, ROUND_NONE);
		page_worker_start(runs, PAGES_READ_LOOP);
		for (page = 0; page < 8; page++) {
			test_step("round %u: vCPU 0 is to wait for page %zu, and go on when it has come",
				  round, page);
			page_worker_access(waits, word_gpa(page), page % 2,
					   page % 2 ? ~page : NOT_READ);
			vcpu_thread_start(waits->vcpu, run_access);
			expect_asked(&a, page);
			page_worker_wait_loops(runs, 2);
			TEST_ASSERT(page % 2 || *(volatile uint64_t *)&waits->job->value == NOT_READ,
				    "the guest has read 0x%lx at gpa 0x%lx, which is still to come",
				    waits->job->value, word_gpa(page));
			give(&a, page);
			vcpu_thread_join(waits->vcpu);
			check_access(&a, waits, page);
			page_area_set_round(&a.p.area, page, 1, 1);
		}
		page_worker_stop(runs, "while the other vCPU waited");
	}
	absent_free(&a);
}

static void guest_nmi(struct ex_regs *regs)
{
	(void)regs;
	GUEST_SYNC(NMI_STAGE);
}

KVM_TEST(signals_and_nmis_come_through)
{
	struct page_worker *w;
	struct absent a;
	size_t page;

	absent_create(&a, 1);
	w = &a.p.workers[0];
	vm_install_exception_handler(a.p.vm, NMI_VECTOR, guest_nmi);
	for (page = 0; page < 6; page++) {
		test_step("page %zu", page);
		touch(&a, w, page, page & 1);
		run_in_vain(w->vcpu, page);
		if (page & 2) {
			vcpu_ioctl(w->vcpu, KVM_NMI, NULL);
			vcpu_expect_sync(w->vcpu, NMI_STAGE);
			run_in_vain(w->vcpu, page);
		}
		TEST_ASSERT(!userfault_pending(a.fd), "page %zu, which is still to come, is asked for twice",
			    page);
		give(&a, page);
		expect_end(w, page);
		check_access(&a, w, page);
	}
	absent_free(&a);
}

/* ---- what changes meanwhile ---- */

enum slot_fate { SLOT_DELETED, SLOT_MOVED, SLOT_REPLACED };

FIXTURE_VARIANT(slot) {
	enum slot_fate fate;
};
KVM_FIXTURE(slot)
FIXTURE_VARIANT_ADD(slot, deleted) { SLOT_DELETED };
FIXTURE_VARIANT_ADD(slot, moved) { SLOT_MOVED };
FIXTURE_VARIANT_ADD(slot, replaced) { SLOT_REPLACED };

static void change_slot(struct absent *a, enum slot_fate fate, struct backing_mem *other)
{
	if (fate == SLOT_MOVED) {
		vm_mem_region_move(a->p.vm, SLOT, AREA_GPA + SIZE);
		return;
	}
	vm_mem_region_delete(a->p.vm, SLOT);
	if (fate == SLOT_REPLACED)
		vm_mem_region_add_backing(a->p.vm, other, other->hva, AREA_GPA, SLOT,
					  NR_PAGES, 0);
}

/* The worker has found the host's page by the slot of before. */
KVM_TEST_F(slot, changes_while_a_page_comes)
{
	const uint64_t answer = 0x0badfeed, there = 0x07e4;
	struct backing_mem other;
	struct page_worker *w;
	struct absent a;
	size_t page;

	absent_create(&a, 1);
	w = &a.p.workers[0];
	backing_mem_alloc(&other, VM_MEM_SRC_ANONYMOUS, SIZE, AREA_GPA);
	for (page = 0; page < 4; page++) {
		*word_of(other.hva, page) = there;
		touch(&a, w, page, false);
		breadcrumb("page %zu is to come, its slot changes", page);
		change_slot(&a, variant->fate, &other);
		give(&a, page);
		if (variant->fate != SLOT_REPLACED)
			vcpu_expect_mmio_read(w->vcpu, word_gpa(page), 8, answer);
		page_worker_end(w);
		TEST_ASSERT(w->job->value == (variant->fate == SLOT_REPLACED ? there : answer),
			    "the guest reads 0x%lx at gpa 0x%lx; the page that was to come has 0x%lx, what is there now 0x%lx",
			    w->job->value, word_gpa(page), *word_of(a.data, page),
			    variant->fate == SLOT_REPLACED ? there : answer);
		if (vm_get_mem_region(a.p.vm, SLOT))
			vm_mem_region_delete(a.p.vm, SLOT);
		vm_mem_region_add_backing(a.p.vm, &a.mem, a.mem.hva, AREA_GPA, SLOT,
					  NR_PAGES, 0);
		TEST_ASSERT_EQ(page_worker_read64(w, word_gpa(page)), *word_of(a.data, page));
	}
	absent_free(&a);
	backing_mem_free(&other);
}

KVM_TEST(its_memory_goes_while_a_page_comes)
{
	struct uffdio_range range = { .len = PAGE_SIZE };
	struct page_worker *w;
	struct absent a;
	size_t page;
	char *hva;
	int ret;

	absent_create(&a, 1);
	w = &a.p.workers[0];
	for (page = 0; page < 4; page++) {
		hva = (char *)a.mem.hva + page * PAGE_SIZE;
		touch(&a, w, page, false);
		breadcrumb("page %zu is to come, its memory is unmapped", page);
		TEST_ERROR_ON(munmap(hva, PAGE_SIZE), "munmap");
		range.start = (uintptr_t)hva;
		TEST_ERROR_ON(ioctl(a.fd, UFFDIO_WAKE, &range), "UFFDIO_WAKE");
		ret = _vcpu_run(w->vcpu);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret < 0 && errno == EFAULT,
				   "gpa 0x%lx has no memory any more: want KVM_RUN to return EFAULT, got %d, errno %d, exit %s",
				   word_gpa(page), ret, ret ? errno : 0,
				   exit_reason_str(w->vcpu->run->exit_reason));
		TEST_ERROR_ON(mmap(hva, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
				   MAP_ANONYMOUS | MAP_FIXED, -1, 0) != hva, "mmap");
		memcpy(hva, a.data + page * PAGE_SIZE, PAGE_SIZE);
		page_worker_end(w);
		check_access(&a, w, page);
	}
	absent_free(&a);
}

static void send_init(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;

	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events);
	events.flags |= KVM_VCPUEVENT_VALID_SMM;
	events.smi.latched_init = 1;
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

/* vCPU 1, for vCPU 0 would go on at the reset vector. */
KVM_TEST(reset_while_a_page_comes)
{
	struct kvm_mp_state state;
	struct kvm_sregs sregs;
	struct page_worker *w;
	struct kvm_regs regs;
	unsigned int round;
	struct absent a;

	absent_create(&a, 2);
	w = &a.p.workers[1];
	vcpu_sregs_get(w->vcpu, &sregs);
	vcpu_regs_get(w->vcpu, &regs);
	for (round = 0; round < 3; round++) {
		touch(&a, w, round, false);
		breadcrumb("INIT while page %u is to come", round);
		send_init(w->vcpu);
		start_giving_late(&a);
		do {
			run_in_vain(w->vcpu, round);
			vcpu_ioctl(w->vcpu, KVM_GET_MP_STATE, &state);
		} while (state.mp_state != KVM_MP_STATE_INIT_RECEIVED);
		pthread_join(a.host, NULL);

		state.mp_state = KVM_MP_STATE_RUNNABLE;
		vcpu_ioctl(w->vcpu, KVM_SET_MP_STATE, &state);
		vcpu_sregs_set(w->vcpu, &sregs);
		vcpu_regs_set(w->vcpu, &regs);
		breadcrumb("the same page after a reset");
		userfault_take_away(&a.mem);
		touch(&a, w, round, false);
		give(&a, round);
		expect_end(w, round);
		check_access(&a, w, round);
	}
	absent_free(&a);
}

/*
 * As a VMM does when it resets the machine. KVM then forgets what the vCPU waits for,
 * but not that it waits: only an event makes it go on (--set known_bugs=1: none).
 */
KVM_TEST(turned_off_while_a_page_comes)
{
	const bool known_bugs = kvm_test_option("known_bugs", 0);
	struct page_worker *w;
	struct absent a;
	size_t page;

	absent_create(&a, 1);
	w = &a.p.workers[0];
	vm_install_exception_handler(a.p.vm, NMI_VECTOR, guest_nmi);
	for (page = 0; page < 3; page++) {
		touch(&a, w, page, false);
		breadcrumb("the VMM turns it off while page %zu is to come", page);
		start_giving_late(&a);
		TEST_ASSERT_EQ(_vcpu_set_msr(w->vcpu, MSR_KVM_ASYNC_PF_EN, 0), 1);
		pthread_join(a.host, NULL);
		if (!known_bugs) {
			vcpu_ioctl(w->vcpu, KVM_NMI, NULL);
			vcpu_expect_sync(w->vcpu, NMI_STAGE);
		}
		expect_end(w, page);
		check_access(&a, w, page);
		breadcrumb("page %zu once more", page);
		userfault_take_away(&a.mem);
		touch(&a, w, page, false);
		give(&a, page);
		expect_end(w, page);
		check_access(&a, w, page);
	}
	absent_free(&a);
}

/* ---- the end ---- */

static struct kvm_vm *live_and_wait(void *arg)
{
	struct absent *a = arg;

	absent_create(a, 2);
	touch(a, &a->p.workers[0], 3, false);
	touch(a, &a->p.workers[1], 5, true);
	/* Whoever closes the fds in order waits for the pages. */
	start_giving_late(a);
	return a->p.vm;
}

VM_DEATH_VARIANTS(vm)

KVM_TEST_F(vm, dies_while_pages_come)
{
	static struct absent a;

	vm_die_in_child(variant->how, live_and_wait, &a);
}

static void *release_vm(void *arg)
{
	kvm_vm_release(arg);
	return NULL;
}

/* The worker has pointers to the vCPU, and runs KVM's code when it wakes up. */
KVM_TEST(no_end_before_the_page_has_come)
{
	struct timespec until;
	pthread_t closer;
	struct absent a;

	absent_create(&a, 1);
	touch(&a, &a.p.workers[0], 0, false);
	breadcrumb("close all fds of the VM while a page is to come");
	errno = pthread_create(&closer, NULL, release_vm, a.p.vm);
	TEST_ERROR_ON(errno, "cannot start a thread");
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 50 * 1000 * 1000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	TEST_ASSERT_ORACLE(ORACLE_LEAK, pthread_timedjoin_np(closer, NULL, &until) == ETIMEDOUT,
			   "all fds of the VM are closed, while a worker of KVM's still waits for the page of gpa 0x%lx: it outlives its vCPU",
			   word_gpa(0));
	give(&a, 0);
	pthread_join(closer, NULL);
	close(a.fd);
}

/* ---- a worker that has not begun ---- */

/* Whoever keeps the workers waiting. */
struct idle {
	struct absent *a;
	_Atomic bool stop, rest, busy;
	_Atomic bool too_late;	/* a worker has begun */
};

static void schedule_on(pthread_t thread, int cpu, int priority)
{
	const struct sched_param param = { .sched_priority = priority };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	errno = pthread_setaffinity_np(thread, sizeof(set), &set);
	TEST_ERROR_ON(errno, "pthread_setaffinity_np");
	errno = pthread_setschedparam(thread, priority ? SCHED_FIFO : SCHED_OTHER, &param);
	TEST_ERROR_ON(errno, "pthread_setschedparam");
}

/*
 * Goes before the kernel's workers, not before the vCPU. A worker that begins all the
 * same waits for the page, and whoever cancels it for the worker.
 */
static void *be_idle(void *arg)
{
	struct idle *idle = arg;

	while (!idle->stop) {
		idle->busy = !idle->rest;
		if (idle->rest) {
			usleep(200);
		} else if (!idle->too_late && userfault_pending(idle->a->fd)) {
			give(idle->a, 0);
			idle->too_late = true;
		}
	}
	return NULL;
}

static void set_rest(struct idle *idle, bool rest)
{
	idle->rest = rest;
	while (idle->busy == rest)
		usleep(100);
}

static void cancel_once(struct idle *idle, struct kvm_vcpu *vcpu)
{
	struct timespec start, end;
	int ret, err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	set_rest(idle, false);
	ret = __vcpu_run_for(vcpu, 2);
	err = errno;
	/* The page is there, and the guest may have gone on. */
	if (idle->too_late) {
		set_rest(idle, true);
		return;
	}
	TEST_ASSERT(ret == -1 && err == EINTR,
		    "KVM_RUN of a vCPU for which page 0 is still to come: want EINTR, got %d, errno %d (%s)",
		    ret, err, strerror(err));
	TEST_ASSERT_EQ(_vcpu_set_msr(vcpu, MSR_KVM_ASYNC_PF_EN, 0), 1);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_expect_sync(vcpu, NMI_STAGE);
	set_rest(idle, true);
	clock_gettime(CLOCK_MONOTONIC, &end);
	/* The kernel takes the CPU from those who always have it, sched(7). */
	usleep((end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000);
}

/*
 * KVM queues its worker on the vCPU's CPU, which has no time for it while the vCPU
 * waits. When the VMM turns it off, the worker is cancelled, and KVM must give back
 * what it would have. The next event has the guest fault again.
 */
static void cancel_often(unsigned int n, void *arg)
{
	struct idle *idle = arg;
	const int cpu = sched_getcpu();
	sigset_t alarm, old;
	pthread_t thread;
	cpu_set_t cpus;

	TEST_ERROR_ON(sched_getaffinity(0, sizeof(cpus), &cpus), "sched_getaffinity");
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	idle->stop = idle->busy = false;
	idle->rest = true;
	schedule_on(pthread_self(), cpu, 2);
	pthread_sigmask(SIG_BLOCK, &alarm, &old);
	errno = pthread_create(&thread, NULL, be_idle, idle);
	TEST_ERROR_ON(errno, "cannot start a thread");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	schedule_on(thread, cpu, 1);
	while (n-- && !idle->too_late)
		cancel_once(idle, idle->a->p.workers[0].vcpu);
	idle->stop = true;
	pthread_join(thread, NULL);
	schedule_on(pthread_self(), cpu, 0);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	__TEST_REQUIRE(!idle->too_late,
		       "needs a host with time for SCHED_FIFO: the kernel's workers went first");
}

static void create_to_cancel(struct absent *a)
{
	absent_create(a, 1);
	vm_install_exception_handler(a->p.vm, NMI_VECTOR, guest_nmi);
	page_worker_access(&a->p.workers[0], word_gpa(0), false, NOT_READ);
}

KVM_TEST(cancelled_leave_nothing_behind, .privileged = true)
{
	struct idle idle = {};
	struct absent a;

	idle.a = &a;
	create_to_cancel(&a);
	cancel_often(4, &idle);
	host_usage_expect_constant(32, "pages that came late and were cancelled", cancel_often,
				   &idle);
	give(&a, 0);
	expect_end(&a.p.workers[0], 0);
	check_access(&a, &a.p.workers[0], 0);
	absent_free(&a);
}

struct cancelling {
	struct absent a;
	struct idle idle;
	int memfd;
};

static struct kvm_vm *live_and_cancel(void *arg)
{
	struct cancelling *c = arg;

	TEST_ERROR_ON(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, c->memfd, 0) ==
		      MAP_FAILED, "mmap");
	create_to_cancel(&c->a);
	c->idle.a = &c->a;
	cancel_often(4, &c->idle);
	return c->a.p.vm;
}

/* A file cannot be sealed while some address space has it mapped for writing. */
KVM_TEST(cancelled_do_not_keep_the_mm, .privileged = true)
{
	static struct cancelling c;

	c.memfd = memfd_create("mapped by the VMM", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	TEST_ERROR_ON(c.memfd < 0 || ftruncate(c.memfd, PAGE_SIZE), "memfd_create");
	breadcrumb("workers are cancelled, and the VMM ends");
	vm_die_in_child(VM_DEATH_EXIT, live_and_cancel, &c);
	TEST_ASSERT_ORACLE(ORACLE_LEAK, !fcntl(c.memfd, F_ADD_SEALS, F_SEAL_WRITE),
			   "the VMM has ended, but a file is still mapped by its mm, which a page that came late was to be put in: %s",
			   strerror(errno));
	close(c.memfd);
}

/* ---- many ---- */

static void fault_often(unsigned int n, void *arg)
{
	struct absent *a = arg;
	struct page_worker *w = &a->p.workers[0];
	size_t i;

	for (; n >= NR_PAGES; n -= NR_PAGES) {
		userfault_take_away(&a->mem);
		page_worker_start(w, PAGES_READ_LOOP);
		for (i = 0; i < NR_PAGES; i++)
			give(a, userfault_wait(a->fd, &a->mem, 0));
		page_worker_stop(w, "while its memory came page by page");
	}
}

KVM_TEST(many_leave_nothing_behind, .privileged = true)
{
	struct absent a;

	absent_create(&a, 1);
	fault_often(NR_PAGES, &a);
	host_usage_expect_constant(4 * NR_PAGES, "pages that came late", fault_often, &a);
	absent_free(&a);
}

KVM_TEST_MAIN()
