// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidations that take long, as many pages go at once, and what vCPUs do
 * meanwhile: they fault on other pages, for which KVM's lock is wanted in the middle,
 * and on the pages next to those that go. All that the host took is gone in the end.
 *
 * What breaks this: a walk that does not go on where it has let go of the lock, or that
 * forgets then what it owes; roots that are left alone because they go anyway; pages
 * that are mapped ahead of a fault of their neighbour, without a look at what is being
 * invalidated.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "processor.h"
#include "ucall.h"

KVM_TEST_SUITE(long_invalidation_test, .needs = { .mem_mb = 192 },
	       .fixes = FIXES("a835429cda91 KVM: x86/mmu: Ensure TLBs are flushed when yielding during GFN range zap"));

/* ---- a range that takes long ---- */

#define LONG_GPA	(5 * SZ_1G)
#define LONG_GVA	(220UL << 39)
#define LONG_PAGES	512UL
#define LONG_SLOT	1
#define BUSY_GPA	(6 * SZ_1G)
#define BUSY_GVA	(221UL << 39)
#define BUSY_PAGES	16UL
#define BUSY_SLOT	2
#define LONG_ROUNDS	2

static struct {
	uint64_t not_zero, page;
} long_range;

static void guest_fill_and_look(void)
{
	uint64_t i, got;

	for (;;) {
		for (i = 0; i < LONG_PAGES; i++)
			guest_write64(LONG_GVA + i * PAGE_SIZE, i + 1);
		GUEST_SYNC(0);
		long_range.not_zero = 0;
		for (i = 0; i < LONG_PAGES; i++) {
			got = guest_read64(LONG_GVA + i * PAGE_SIZE);
			if (got && !long_range.not_zero++)
				long_range.page = i;
		}
		GUEST_SYNC(1);
	}
}

static void guest_fault_for_ever(void)
{
	uint64_t i;

	for (i = 0; ; i++)
		guest_read64(BUSY_GVA + i % BUSY_PAGES * PAGE_SIZE);
}

static void run_busy(struct kvm_vcpu *vcpu)
{
	if (vcpu_run_unless_stopped(vcpu))
		vcpu_unexpected_exit(vcpu, "none: it only reads RAM");
}

struct busy_host {
	void *mem;
	_Atomic bool on, stop;
};

static void *drop_for_ever(void *arg)
{
	struct busy_host *busy = arg;

	while (!busy->stop) {
		if (busy->on)
			madvise(busy->mem, BUSY_PAGES * PAGE_SIZE, MADV_DONTNEED);
		else
			usleep(1000);
	}
	return NULL;
}

/* Others want the same lock all the time, and KVM lets them have it in the middle. */
KVM_TEST(long_range_goes_while_others_fault)
{
	struct busy_host busy = {};
	struct kvm_vcpu *vcpus[2];
	int64_t before = -1, after;
	struct kvm_vm *vm;
	unsigned int i;
	pthread_t host;
	void *mem;

	vm = vm_create(2);
	vcpus[0] = vm_vcpu_add(vm, 0, guest_fill_and_look);
	vcpus[1] = vm_vcpu_add(vm, 1, guest_fault_for_ever);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, LONG_GPA, LONG_SLOT, LONG_PAGES,
				    0);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, BUSY_GPA, BUSY_SLOT, BUSY_PAGES,
				    0);
	virt_map(vm, LONG_GVA, LONG_GPA, LONG_PAGES);
	virt_map(vm, BUSY_GVA, BUSY_GPA, BUSY_PAGES);
	mem = addr_gpa2hva(vm, LONG_GPA);
	busy.mem = addr_gpa2hva(vm, BUSY_GPA);
	madvise(mem, LONG_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	madvise(busy.mem, BUSY_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	vcpu_thread_start(vcpus[1], run_busy);
	errno = pthread_create(&host, NULL, drop_for_ever, &busy);
	TEST_ERROR_ON(errno, "cannot start a thread");
	for (i = 0; i < test_tries(LONG_ROUNDS); i++) {
		vcpu_expect_sync(vcpus[0], 0);
		breadcrumb("drop %lu pages at once while others fault, round %u", LONG_PAGES, i);
		vm_read_stat(vm, "pages_4k", &before);
		busy.on = true;
		TEST_ERROR_ON(madvise(mem, LONG_PAGES * PAGE_SIZE, MADV_DONTNEED),
			      "MADV_DONTNEED failed");
		busy.on = false;
		if (before > 0 && vm_read_stat(vm, "pages_4k", &after))
			TEST_ASSERT_ORACLE(ORACLE_STATS,
					   before - after >= (int64_t)(LONG_PAGES - 2 * BUSY_PAGES),
					   "the host dropped %lu pages that the guest had mapped: pages_4k was %ld, and is %ld",
					   LONG_PAGES, before, after);
		vcpu_expect_sync(vcpus[0], 1);
		sync_global_from_guest(vm, long_range);
		TEST_ASSERT(!long_range.not_zero,
			    "the host dropped %lu pages at once, and the guest still sees what was in %lu of them, the first at gpa 0x%lx",
			    LONG_PAGES, long_range.not_zero,
			    LONG_GPA + long_range.page * PAGE_SIZE);
	}
	busy.stop = true;
	pthread_join(host, NULL);
	vcpu_thread_stop(vcpus[1]);
	kvm_vm_free(vm);
}

/* ---- a range that is mostly empty ---- */

#define SPARSE_GPA	(5 * SZ_1G)
#define SPARSE_GVA	(223UL << 39)
#define SPARSE_PAGES	32768UL
#define SPARSE_USED	8UL		/* the first ones */
#define SPARSE_ROUNDS	6
#define PAGES_PER_2M	512UL

/* Once in each table, so that all tables are there; and then at the start alone. */
static void guest_touch_sparsely(void)
{
	uint64_t i;

	for (i = 0; i < SPARSE_PAGES; i += PAGES_PER_2M)
		guest_read64(SPARSE_GVA + i * PAGE_SIZE);
	for (;;) {
		GUEST_SYNC(0);
		for (i = 0; i < SPARSE_USED; i++)
			guest_write64(SPARSE_GVA + i * PAGE_SIZE, i + 1);
	}
}

struct contender {
	struct kvm_vm *vm;
	_Atomic bool stop;
};

/* Wants KVM's lock for writing, and never has a reason for a flush. */
static void *contend(void *arg)
{
	struct contender *c = arg;

	while (!c->stop)
		__vm_ioctl(c->vm, KVM_SET_NR_MMU_PAGES, (void *)100000UL);
	return NULL;
}

/*
 * What there is to unmap comes first, and KVM lets go of its lock when it is long past
 * that: the TLBs must be flushed before the host has its pages, all the same.
 */
KVM_TEST(start_of_a_sparse_range_is_flushed)
{
	struct contender c = {};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pthread_t thread;
	int64_t flushes;
	unsigned int i;
	void *mem;

	vm = vm_create_with_one_vcpu(&vcpu, guest_touch_sparsely);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, SPARSE_GPA, LONG_SLOT,
				    SPARSE_PAGES, 0);
	virt_map(vm, SPARSE_GVA, SPARSE_GPA, SPARSE_PAGES);
	mem = addr_gpa2hva(vm, SPARSE_GPA);
	madvise(mem, SPARSE_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	vcpu_expect_sync(vcpu, 0);
	TEST_ERROR_ON(madvise(mem, SPARSE_PAGES * PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
	c.vm = vm;
	errno = pthread_create(&thread, NULL, contend, &c);
	TEST_ERROR_ON(errno, "cannot start a thread");
	for (i = 0; i < test_tries(SPARSE_ROUNDS); i++) {
		vcpu_expect_sync(vcpu, 0);
		breadcrumb("drop a range whose first %lu pages are there, round %u", SPARSE_USED,
			   i);
		flushes = vm_tlb_flush_requests(vm);
		TEST_ERROR_ON(madvise(mem, SPARSE_PAGES * PAGE_SIZE, MADV_DONTNEED),
			      "MADV_DONTNEED");
		vm_expect_tlb_flush(vm, flushes,
				    "the host has dropped pages at the start of a long range");
	}
	c.stop = true;
	pthread_join(thread, NULL);
	kvm_vm_free(vm);
}

/* ---- roots on their way out ---- */

/* KVM drops 1G at a time, and lets others in between: the same memory in each. */
#define ROOT_GPA(n)	((5UL + (n)) * SZ_1G)
#define ROOT_GVA(n)	((224UL << 39) + (n) * SZ_1G)
#define ROOT_SLOT(n)	(10 + (n))
#define ROOT_PIECES	32UL
#define PIECE_2M	8UL
#define PIECE_PAGES	(PIECE_2M * PAGES_PER_2M)
#define ROOT_ROUNDS	4

static void guest_touch_large(void)
{
	uint64_t n, i;

	for (;;) {
		for (n = 0; n < ROOT_PIECES; n++)
			for (i = 0; i < PIECE_2M; i++)
				guest_read64(ROOT_GVA(n) + i * SZ_2M);
		GUEST_SYNC(0);
	}
}

static void log_pieces(struct kvm_vm *vm, uint32_t flags)
{
	unsigned int i;

	for (i = 0; i < ROOT_PIECES; i++)
		vm_mem_region_set_flags(vm, ROOT_SLOT(i), flags);
}

static void *reload_slot(void *arg)
{
	vm_mem_region_reload(arg, BUSY_SLOT);
	return NULL;
}

/*
 * When a slot goes, KVM drops all roots, piece by piece. Until then they have the
 * host's pages as much as ever: one that the host takes meanwhile must leave them at
 * once. The host's pages are large and go fast, KVM has split them for the log.
 */
KVM_TEST(pages_leave_roots_that_are_being_dropped, .huge_2m = PIECE_2M)
{
	const int64_t mapped = ROOT_PIECES * PIECE_PAGES;
	const int64_t dropped = mapped - ROOT_PIECES * PAGES_PER_2M;
	int64_t before, after;
	struct backing_mem mem;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pthread_t thread;
	unsigned int i;

	vm = vm_create_with_one_vcpu(&vcpu, guest_touch_large);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, PIECE_2M * SZ_2M,
			  ROOT_GPA(0));
	for (i = 0; i < ROOT_PIECES; i++) {
		vm_mem_region_add_backing(vm, &mem, mem.hva, ROOT_GPA(i), ROOT_SLOT(i),
					  PIECE_PAGES, 0);
		virt_map_level(vm, ROOT_GVA(i), ROOT_GPA(i), PIECE_2M * SZ_2M, PG_LEVEL_2M);
	}
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, SZ_4G, BUSY_SLOT, 1, 0);
	for (i = 0; i < test_tries(ROOT_ROUNDS); i++) {
		vcpu_expect_sync(vcpu, 0);
		log_pieces(vm, KVM_MEM_LOG_DIRTY_PAGES);
		__TEST_REQUIRE(vm_read_stat(vm, "pages_4k", &before) && before >= mapped,
			       "needs large pages that are split ahead of faults: Linux 5.18, and the TDP MMU");
		breadcrumb("drop pages while KVM drops its roots, round %u", i);
		errno = pthread_create(&thread, NULL, reload_slot, vm);
		TEST_ERROR_ON(errno, "cannot start a thread");
		do
			vm_read_stat(vm, "pages_4k", &after);
		while (after == before);
		TEST_ERROR_ON(madvise((char *)mem.hva + SZ_2M, (PIECE_2M - 1) * SZ_2M,
				      MADV_DONTNEED), "MADV_DONTNEED");
		vm_read_stat(vm, "pages_4k", &after);
		pthread_join(thread, NULL);
		TEST_ASSERT_ORACLE(ORACLE_STATS, after <= before - dropped,
				   "the host has dropped %ld pages of %ld that were mapped when KVM began to drop its roots, and %ld are still mapped",
				   dropped, before, after);
		log_pieces(vm, 0);
	}
	kvm_vm_free(vm);
	backing_mem_free(&mem);
}

/* ---- a fault next to what goes ---- */

#define NEXT_GPA	(5 * SZ_1G)
#define NEXT_GVA	(222UL << 39)
/* The last four of these have four neighbours in the group that KVM maps at once. */
#define NR_GOING	(16384UL + 4)
#define NR_NEXT		(NR_GOING + 4)
#define NR_LAST		4
#define NEXT_ROUNDS	12

static struct next {
	volatile uint64_t go, touched, look, looked;
	uint64_t seen[NR_LAST];
} next;

static gva_t next_gva(uint64_t page)
{
	return NEXT_GVA + page * PAGE_SIZE;
}

static void guest_touch_next(void)
{
	uint64_t round, i;

	/* So that their entries are accessed. */
	for (i = NR_GOING - NR_LAST; i < NR_NEXT; i++)
		guest_read64(next_gva(i));
	for (round = 1; ; round++) {
		while (next.go != round)
			cpu_relax();
		guest_read64(next_gva(NR_GOING + round % 4));
		next.touched = round;
		while (next.look != round)
			cpu_relax();
		for (i = 0; i < NR_LAST; i++)
			next.seen[i] = guest_read64(next_gva(NR_GOING - NR_LAST + i));
		next.looked = round;
	}
}

static void wait_for(volatile uint64_t *word, uint64_t value)
{
	while (*word != value)
		usleep(200);
}

KVM_TEST(neighbour_of_what_goes_is_touched)
{
	struct kvm_vcpu *vcpu;
	struct next *shared;
	uint64_t round, i;
	struct kvm_vm *vm;
	uint64_t *mem;

	vm = vm_create_with_one_vcpu(&vcpu, guest_touch_next);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, NEXT_GPA, LONG_SLOT, NR_NEXT, 0);
	virt_map(vm, NEXT_GVA, NEXT_GPA, NR_NEXT);
	mem = addr_gpa2hva(vm, NEXT_GPA);
	madvise(mem, NR_NEXT * PAGE_SIZE, MADV_NOHUGEPAGE);
	shared = addr_gva2hva(vm, (gva_t)&next);
	vcpu_thread_start(vcpu, run_busy);
	for (round = 1; round <= test_tries(NEXT_ROUNDS); round++) {
		for (i = 0; i < NR_GOING; i++)
			mem[i * PAGE_SIZE / 8] = round << 32 | (i + 1);
		TEST_ERROR_ON(madvise(mem + NR_GOING * PAGE_SIZE / 8, 4 * PAGE_SIZE,
				      MADV_DONTNEED), "MADV_DONTNEED failed");
		breadcrumb("drop %lu pages, and touch the next one, round %lu", NR_GOING, round);
		shared->go = round;
		TEST_ERROR_ON(madvise(mem, NR_GOING * PAGE_SIZE, MADV_DONTNEED),
			      "MADV_DONTNEED failed");
		wait_for(&shared->touched, round);
		shared->look = round;
		wait_for(&shared->looked, round);
		for (i = 0; i < NR_LAST; i++)
			TEST_ASSERT(!shared->seen[i],
				    "the host dropped gpa 0x%lx while the guest touched a page next to it, and the guest still reads 0x%lx there (round %lu)",
				    NEXT_GPA + (NR_GOING - NR_LAST + i) * PAGE_SIZE,
				    shared->seen[i], round);
	}
	vcpu_thread_stop(vcpu);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
