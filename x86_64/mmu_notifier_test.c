// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's memory management does to the pages of a guest with a view of
 * its own: takes them away while vCPUs fault on them, moves them to another
 * address, merges equal ones, reclaims those that are clean. Guest and host see the
 * same memory all the time, and the host owns what it took.
 *
 * What breaks it: a fault that does not see that its page is being taken away, an
 * invalidation of too few slots or pages, one without a flush, a dirty bit that
 * stays KVM's secret, a read-only page that becomes writable.
 *
 * host_page_test has the sizes of the pages, memslot_hva_test the memslots, and
 * userfault_test what the host is told of.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "smm.h"

KVM_TEST_SUITE(mmu_notifier_test, .needs = { .mem_mb = 128 },
	.fixes = FIXES("e930bffe95e1 KVM: Synchronize guest physical memory map to host virtual memory map",
		       "127393fbe597 mm: thp: kvm: fix memory corruption in KVM with THP enabled"));

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif

#define AREA_GPA	(5 * SZ_1G)
#define DATA_SLOT	1
#define STEP		8		/* each eighth word of a page */

static void create(struct page_vm *p, struct backing_mem *mem, uint32_t nr_vcpus,
		   enum vm_mem_backing_src_type src, size_t size)
{
	page_vm_create(p, nr_vcpus, AREA_GPA, size, PG_LEVEL_2M, STEP);
	page_vm_add_mem(p, mem, src, DATA_SLOT);
}

/* Four slots of @unit that have the host's memory in another order than the guest's. */
static void create_scattered(struct page_vm *p, struct backing_mem *mem,
			     uint32_t nr_vcpus, enum vm_mem_backing_src_type src,
			     size_t unit)
{
	static const unsigned int hva_of[] = { 2, 0, 3, 1 };
	const size_t size = ARRAY_SIZE(hva_of) * unit;
	unsigned int i;

	page_vm_create(p, nr_vcpus, AREA_GPA, size, PG_LEVEL_2M, STEP);
	backing_mem_alloc(mem, src, size, AREA_GPA);
	for (i = 0; i < ARRAY_SIZE(hva_of); i++)
		vm_mem_region_add_backing(p->vm, mem, (char *)mem->hva + hva_of[i] * unit,
					  AREA_GPA + i * unit, DATA_SLOT + i,
					  unit / PAGE_SIZE, 0);
	page_area_fill(&p->area, 0, p->area.npages, 1);
	if (src == VM_MEM_SRC_ANONYMOUS_THP)
		backing_require_huge(mem->hva, size);
}

/* ---- faults while pages go ---- */

/*
 * vCPUs touch all pages at random while the host takes some away. Whoever maps one
 * between the notifier's start and the end of the system call, or takes a huge page
 * for whole then, maps a page that is somebody else's soon: guest and host do not see
 * the same any more.
 */
FIXTURE_VARIANT(fault) {
	enum vm_mem_backing_src_type src;
	size_t unit;			/* of each of four slots */
	size_t hole, distance;		/* so much of each that much is taken */
};
KVM_FIXTURE(fault)
FIXTURE_VARIANT_ADD(fault, of_4k) {
	.src = VM_MEM_SRC_ANONYMOUS, .unit = SZ_1M,
	.hole = 4 * SZ_1M, .distance = 4 * SZ_1M,
};
FIXTURE_VARIANT_ADD(fault, of_thp) {
	.src = VM_MEM_SRC_ANONYMOUS_THP, .unit = SZ_2M,
	.hole = SZ_64K, .distance = SZ_2M,
};

static void *renew_thp(const struct backing_mem *mem)
{
	void *old = backing_exchange(mem->hva, mem->size);

	TEST_ERROR_ON(madvise(mem->hva, mem->size, MADV_HUGEPAGE), "cannot renew THPs");
	return old;
}

KVM_TEST_F(fault, meets_pages_that_go)
{
	const size_t size = 4 * variant->unit;
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;
	size_t offset;
	void *old;

	create_scattered(&p, &mem, 2, variant->src, variant->unit);
	for (i = 0; i < 8; i++) {
		page_worker_read(&p.workers[0], "with the host's pattern everywhere");
		if (i % 4 == 0)
			breadcrumb("take pages away, %u", i);
		page_worker_start(&p.workers[0], PAGES_RANDOM_LOOP);
		page_worker_start(&p.workers[1], PAGES_RANDOM_LOOP);
		page_worker_wait_loops(&p.workers[i & 1], 1);
		for (offset = variant->distance / 2 % size; offset < size; offset += variant->distance)
			TEST_ERROR_ON(madvise((char *)mem.hva + align_down(offset, variant->hole),
					      variant->hole, MADV_DONTNEED), "MADV_DONTNEED");
		page_worker_stop(&p.workers[0], "while pages went");
		page_worker_stop(&p.workers[1], "while pages went");
		page_area_fill(&p.area, 0, p.area.npages, 2 * i + 2);
		if (variant->src != VM_MEM_SRC_ANONYMOUS_THP)
			continue;
		page_worker_read(&p.workers[1], "with the host's pattern everywhere");
		old = renew_thp(&mem);
		page_area_fill(&p.area, 0, p.area.npages, 2 * i + 3);
		munmap(old, size);
	}
	page_worker_read(&p.workers[1], "with the host's pattern everywhere");
	page_worker_write(&p.workers[0], 0, p.area.npages, 100);
	page_area_check(&p.area, "after the guest wrote everything");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/*
 * The guest faults on one page all the time, and the host takes it away again and
 * again: one invalidation, from start to end, may fall between a fault's look at the
 * host's page table and its taking of mmu_lock. Then the guest has a page of its own.
 */
KVM_TEST(fault_spans_an_invalidation)
{
	const gpa_t gpa = AREA_GPA + 3 * PAGE_SIZE + PAGE_USER_WORD * 8;
	volatile uint64_t *word, *value;
	struct backing_mem mem;
	struct page_worker *w;
	unsigned int i, j;
	struct page_vm p;
	uint64_t before;
	void *page;

	create(&p, &mem, 1, VM_MEM_SRC_ANONYMOUS, SZ_64K);
	w = &p.workers[0];
	word = addr_gpa2hva(p.vm, gpa);
	page = (void *)align_down((uintptr_t)word, PAGE_SIZE);
	page_worker_hot(w, PAGES_HOT_WRITE, gpa);
	value = &w->job->value;
	breadcrumb("take a page away under faults");
	for (i = 0; i < test_tries(20); i++) {
		for (j = 0; j < 30; j++)
			TEST_ERROR_ON(madvise(page, PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		before = *value;
		page_worker_wait_loops(w, 32);
		TEST_ASSERT(*word > before,
			    "the guest counts on at gpa 0x%lx, it was at 0x%lx long ago, but the host reads 0x%lx there: the guest has a page that was taken away (try %u)",
			    gpa, before, *word, i);
	}
	page_worker_stop(w, "counting in a page that goes all the time");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/*
 * Two parts of memory go at once, and one of them takes long: the last page of it is
 * still the host's when the guest, which has lost it already, faults on it. KVM must
 * remember both, whichever came first.
 */
#define SLOW_SIZE	(4 * SZ_2M)
#define OTHER_SIZE	(8 * SZ_2M)

struct other_range {
	void *hva;
	_Atomic bool stop;
};

static void *take_away_again_and_again(void *arg)
{
	struct other_range *other = arg;

	while (!other->stop)
		madvise(other->hva, OTHER_SIZE, MADV_DONTNEED);
	return NULL;
}

KVM_TEST(fault_during_two_invalidations)
{
	const gpa_t gpa = AREA_GPA + SLOW_SIZE - PAGE_SIZE + PAGE_USER_WORD * 8;
	struct backing_mem mem, other_mem;
	struct other_range other = {};
	volatile uint64_t *word;
	struct page_worker *w;
	pthread_t thread;
	struct page_vm p;
	uint64_t before;
	unsigned int i;

	/* Before, a fault waits for any invalidation to end, wherever that is. */
	__TEST_REQUIRE(kernel_at_least(5, 12) || sysconf(_SC_NPROCESSORS_ONLN) > 1,
		       "needs two CPUs, or 4a42d848db95, of Linux 5.12: there is always an invalidation");
	create(&p, &mem, 1, VM_MEM_SRC_ANONYMOUS, SLOW_SIZE);
	backing_mem_alloc(&other_mem, VM_MEM_SRC_ANONYMOUS, OTHER_SIZE, AREA_GPA + SZ_1G);
	vm_mem_region_add_backing(p.vm, &other_mem, other_mem.hva, AREA_GPA + SZ_1G,
				  DATA_SLOT + 1, OTHER_SIZE / PAGE_SIZE, 0);
	/* The host's page tables stay, and are walked each time. */
	memset(other_mem.hva, 1, OTHER_SIZE);
	other.hva = other_mem.hva;
	w = &p.workers[0];
	word = addr_gpa2hva(p.vm, gpa);
	page_worker_hot(w, PAGES_HOT_WRITE, gpa);
	TEST_ERROR_ON(pthread_create(&thread, NULL, take_away_again_and_again, &other),
		      "no thread");
	breadcrumb("take two ranges away under faults");
	for (i = 0; i < test_tries(24); i++) {
		memset(mem.hva, i, SLOW_SIZE - PAGE_SIZE);
		page_worker_wait_loops(w, 32);
		TEST_ERROR_ON(madvise(mem.hva, mem.size, MADV_DONTNEED), "MADV_DONTNEED");
		before = w->job->value;
		page_worker_wait_loops(w, 32);
		TEST_ASSERT(*word > before,
			    "the guest counts on at gpa 0x%lx, it was at 0x%lx long ago, but the host reads 0x%lx there: the guest has a page that was taken away (try %u)",
			    gpa, before, *word, i);
	}
	other.stop = true;
	pthread_join(thread, NULL);
	page_worker_stop(w, "counting in a page that goes while others go");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
	backing_mem_free(&other_mem);
}

/* ---- memory that moves ---- */

FIXTURE_VARIANT(moved) {
	enum vm_mem_backing_src_type src;
	size_t unit;
};
KVM_FIXTURE(moved)
FIXTURE_VARIANT_ADD(moved, of_4k) { VM_MEM_SRC_ANONYMOUS, SZ_64K };
FIXTURE_VARIANT_ADD(moved, part_of_thp) { VM_MEM_SRC_ANONYMOUS_THP, SZ_64K };
FIXTURE_VARIANT_ADD(moved, thp) { VM_MEM_SRC_ANONYMOUS_THP, SZ_2M };
FIXTURE_VARIANT_ADD(moved, shmem) { VM_MEM_SRC_SHMEM, SZ_64K };

static void move(void *from, size_t size, void *to)
{
	TEST_ERROR_ON(mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to,
		      "cannot move 0x%lx bytes of host memory", size);
}

static void check_moved(const char *moved, const char *want, size_t size, gpa_t gpa)
{
	size_t i;

	for (i = 0; i < size; i += 8)
		TEST_ASSERT(*(const uint64_t *)(moved + i) == *(const uint64_t *)(want + i),
			    "the host has moved the memory of gpa 0x%lx to another address, where 0x%lx must be; it is 0x%lx, the guest still writes there",
			    gpa + i, *(const uint64_t *)(want + i),
			    *(const uint64_t *)(moved + i));
}

KVM_TEST_F(moved, memory_is_the_hosts_alone)
{
	const size_t size = 2 * SZ_2M, offset = SZ_2M, unit = variant->unit;
	const uint64_t first = offset / PAGE_SIZE, n = unit / PAGE_SIZE;
	const gpa_t gpa = AREA_GPA + offset;
	char *hva, *copy = malloc(unit);
	struct backing_mem mem, away;
	struct page_worker *w;
	struct page_vm p;
	int64_t flushes;

	TEST_ERROR_ON(!copy, "no memory for a copy");
	create(&p, &mem, 1, variant->src, size);
	w = &p.workers[0];
	hva = (char *)mem.hva + offset;
	backing_mem_alloc(&away, VM_MEM_SRC_ANONYMOUS, unit, offset);
	page_worker_write(w, 0, p.area.npages, 2);
	memcpy(copy, hva, unit);

	breadcrumb("move 0x%lx bytes away", unit);
	flushes = vm_tlb_flush_requests(p.vm);
	move(hva, unit, away.hva);
	vm_expect_tlb_flush(p.vm, flushes, "the host has moved mapped memory");
	page_worker_expect_efault(w, gpa, true, "unmapped: it was moved");
	TEST_ERROR_ON(mmap(hva, unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_FIXED, -1, 0) == MAP_FAILED, "mmap");
	page_worker_end(w);
	TEST_ASSERT(*(uint64_t *)hva == 0x55, "the guest's write of gpa 0x%lx was completed, but the host reads 0x%lx, not 0x55",
		    gpa, *(uint64_t *)hva);
	*(uint64_t *)hva = 0;
	page_area_set_round(&p.area, first, n, ROUND_ZERO);
	page_worker_read(w, "with new memory in place of what was moved");
	page_worker_write(w, 0, p.area.npages, 3);
	page_area_check(&p.area, "with new memory in place of what was moved");
	check_moved(away.hva, copy, unit, gpa);

	breadcrumb("move it back");
	move(away.hva, unit, hva);
	page_area_set_round(&p.area, first, n, 2);
	page_worker_read(w, "with the memory moved back");
	page_worker_write(w, 0, p.area.npages, 4);
	page_area_check(&p.area, "with the memory moved back");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
	backing_mem_free(&away);
	free(copy);
}

/* ---- one range, several slots ---- */

FIXTURE_VARIANT(range) {
	enum vm_mem_backing_src_type src;
	size_t start, end;		/* of the range, in the host's memory */
};
KVM_FIXTURE(range)
#define RANGE(name, s, from, to)						\
	FIXTURE_VARIANT_ADD(range, name) {					\
		.src = VM_MEM_SRC_##s, .start = from, .end = to,		\
	};
RANGE(over_two_slots, ANONYMOUS, SZ_1M, SZ_2M + SZ_1M)
RANGE(over_all_slots, ANONYMOUS, SZ_4K, 4 * SZ_2M - SZ_4K)
RANGE(last_page_and_next_slots_first, ANONYMOUS, SZ_2M - SZ_4K, SZ_2M + SZ_4K)
RANGE(only_a_last_page, ANONYMOUS, 4 * SZ_2M - SZ_4K, 4 * SZ_2M)
RANGE(one_slot, ANONYMOUS, SZ_2M, 2 * SZ_2M)
RANGE(of_thps, ANONYMOUS_THP, 0, 3 * SZ_2M)

/* Whatever of the range is a page of the area is zero now, and nothing else. */
static uint64_t model_range(struct page_area *area, const char *from, const char *to)
{
	uint64_t i, n = 0;

	for (i = 0; i < area->npages; i++) {
		char *hva = addr_gpa2hva(area->vm, area->gpa + i * PAGE_SIZE);

		if (hva >= from && hva < to) {
			page_area_set_round(area, i, 1, ROUND_ZERO);
			n++;
		}
	}
	return n;
}

KVM_TEST_F(range, unmaps_all_of_it_and_nothing_else)
{
	struct page_sizes want;
	struct backing_mem mem;
	struct page_vm p;
	int64_t flushes;
	char *from, *to;
	uint64_t n;

	create_scattered(&p, &mem, 1, variant->src, SZ_2M);
	page_worker_map_all(&p.workers[0], 2);
	from = (char *)mem.hva + variant->start;
	to = (char *)mem.hva + variant->end;

	breadcrumb("drop 0x%lx-0x%lx of the host's memory", variant->start, variant->end);
	flushes = vm_tlb_flush_requests(p.vm);
	TEST_ERROR_ON(madvise(from, to - from, MADV_DONTNEED), "MADV_DONTNEED");
	vm_expect_tlb_flush(p.vm, flushes, "the host has dropped pages of several slots");
	page_area_model(&p.area, &want);
	n = model_range(&p.area, from, to);
	if (want.n2m)
		want.n2m -= n / (SZ_2M / PAGE_SIZE);
	else
		want.n4k -= n;
	page_area_check_sizes(&p.area, &want, "right after the host dropped pages of several slots");
	page_worker_read(&p.workers[0], "after the host dropped pages of several slots");
	page_worker_write(&p.workers[0], 0, p.area.npages, 4);
	page_area_check(&p.area, "after the guest wrote everything");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* The same memory is in a slot of each address space; the vCPU is in SMM. */
KVM_TEST(memory_of_smm_goes, .caps = NEED_CAPS_SMM)
{
	const uint64_t n = 64;
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;

	create(&p, &mem, 1, VM_MEM_SRC_ANONYMOUS, SZ_1M);
	vm_smm_init(p.vm);
	vm_mem_region_add_backing(p.vm, &mem, mem.hva, AREA_GPA, SMM_SLOT(DATA_SLOT),
				  SZ_1M / PAGE_SIZE, 0);
	for (i = 0; i < 4; i++) {
		vcpu_set_smm(p.vcpus[0], !(i & 1));
		page_worker_write(&p.workers[0], 0, p.area.npages, 2 + i);
		vcpu_set_smm(p.vcpus[0], i & 1);
		page_worker_read(&p.workers[0], "in both address spaces");
		breadcrumb("drop pages of both address spaces, %u", i);
		TEST_ERROR_ON(madvise(mem.hva, n * PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		page_area_set_round(&p.area, 0, n, ROUND_ZERO);
		page_worker_read(&p.workers[0], i & 1 ? "in SMM, after the host dropped pages" :
				 "outside SMM, after the host dropped pages");
		vcpu_set_smm(p.vcpus[0], !(i & 1));
		page_worker_read(&p.workers[0], i & 1 ? "outside SMM, after the host dropped pages" :
				 "in SMM, after the host dropped pages");
	}
	vcpu_set_smm(p.vcpus[0], false);
	vm_mem_region_delete(p.vm, SMM_SLOT(DATA_SLOT));
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- memory that may be reclaimed ---- */

FIXTURE_VARIANT(lazily_freed) {
	enum vm_mem_backing_src_type src;
	bool logged;			/* write-protected before it is unmapped */
};
KVM_FIXTURE(lazily_freed)
FIXTURE_VARIANT_ADD(lazily_freed, of_4k) { .src = VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(lazily_freed, of_4k_logged) {
	.src = VM_MEM_SRC_ANONYMOUS, .logged = true,
};
FIXTURE_VARIANT_ADD(lazily_freed, thp) { .src = VM_MEM_SRC_ANONYMOUS_THP };

/*
 * After MADV_FREE the host may throw pages away that are clean. What the guest
 * writes then is in KVM's dirty bit only, until KVM unmaps the page and says so.
 */
KVM_TEST_F(lazily_freed, what_the_guest_wrote_is_not_clean)
{
	const size_t size = 2 * SZ_2M, step = get_backing_src_pagesz(variant->src) / PAGE_SIZE;
	uint64_t log[2 * SZ_2M / PAGE_SIZE / 64], i, gone = 0;
	struct backing_mem mem;
	struct page_vm p;

	/* Pages on their way to the LRU lists are on a list of their CPU. */
	stay_on_this_cpu();
	create(&p, &mem, 1, variant->src, size);
	page_worker_write(&p.workers[0], 0, p.area.npages, 2);
	breadcrumb("MADV_FREE");
	TEST_ERROR_ON(madvise(mem.hva, size, MADV_FREE), "MADV_FREE");
	/* The first of each two units; the other one is nobody's. */
	page_area_set_round(&p.area, 0, p.area.npages, ROUND_NONE);
	for (i = 0; i < p.area.npages; i += 2 * step)
		memset(p.area.todo + i, 3, step);
	if (variant->logged)
		vm_mem_region_set_flags(p.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	page_worker_write_todo(&p.workers[0]);
	if (variant->logged)
		kvm_vm_get_dirty_log(p.vm, DATA_SLOT, log);
	/* The first time, a page is young that the guest has just used, and stays. */
	for (i = 0; i < 3; i++) {
		breadcrumb("MADV_PAGEOUT, %lu", i);
		__TEST_REQUIRE(!madvise(mem.hva, size, MADV_PAGEOUT),
			       "needs MADV_PAGEOUT (Linux 5.4)");
	}
	page_worker_read(&p.workers[0], "after the host has reclaimed what is clean");
	page_area_check(&p.area, "after the host has reclaimed what is clean");
	for (i = step; i < p.area.npages; i += 2 * step)
		gone += !((uint64_t *)mem.hva)[i * PAGE_WORDS + i % STEP];
	if (!gone)
		pr_info("the host has reclaimed nothing: this case could not fail");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- memory that is merged ---- */

#define KSM(file)	"/sys/kernel/mm/ksm/" file
#define EQUAL_BYTE	0x5a
#define EQUAL_WORD	0x5a5a5a5a5a5a5a5aUL

static unsigned long ksm_pages(void)
{
	unsigned long shared = 0, sharing = 0;
	FILE *f = fopen(KSM("pages_shared"), "r");

	if (f) {
		TEST_ERROR_ON(fscanf(f, "%lu", &shared) != 1, "pages_shared");
		fclose(f);
	}
	f = fopen(KSM("pages_sharing"), "r");
	if (f) {
		TEST_ERROR_ON(fscanf(f, "%lu", &sharing) != 1, "pages_sharing");
		fclose(f);
	}
	return shared + sharing;
}

static void merge(const struct backing_mem *a, const struct backing_mem *b)
{
	unsigned long want = ksm_pages() + (a->size + b->size) / PAGE_SIZE;
	unsigned int ms;

	__TEST_REQUIRE(!madvise(a->hva, a->size, MADV_MERGEABLE) &&
		       !madvise(b->hva, b->size, MADV_MERGEABLE),
		       "needs MADV_MERGEABLE (CONFIG_KSM)");
	for (ms = 0; ksm_pages() < want && ms < test_seconds(4) * 1000; ms += 2)
		usleep(2000);
	__TEST_REQUIRE(ksm_pages() >= want,
		       "needs equal pages to be merged, the host has merged %lu of %lu in %u seconds",
		       ksm_pages(), want, test_seconds(4));
}

static void expect_word(struct page_worker *w, gpa_t gpa, uint64_t want, const char *when)
{
	uint64_t got = page_worker_read64(w, gpa);

	TEST_ASSERT(got == want, "%s, the guest reads 0x%lx at gpa 0x%lx, not 0x%lx",
		    when, got, gpa, want);
}

/* Of @mem, only word @i of page @i is another one, if @own. */
static void check_merged(const struct backing_mem *mem, bool own, const char *whose)
{
	const uint64_t *word = mem->hva;
	size_t i, page, want;

	for (i = 0; i < mem->size / 8; i++) {
		page = i / PAGE_WORDS;
		want = own && i % PAGE_WORDS == page ? page : EQUAL_WORD;
		TEST_ASSERT(word[i] == want,
			    "after the guest wrote to merged pages, word %zu of page %zu of %s is 0x%lx, not 0x%lx",
			    i % PAGE_WORDS, page, whose, word[i], want);
	}
}

/* All pages are equal, and one page of the host is all of them. */
KVM_TEST(merged_pages_stay_apart)
{
	const size_t n = 32, size = n * PAGE_SIZE;
	struct backing_mem mem, twin;
	struct page_vm p;
	int64_t flushes;
	size_t i;

	host_set_param(KSM("sleep_millisecs"), "1");
	host_set_param(KSM("pages_to_scan"), "1000");
	host_set_param(KSM("run"), "1");
	create(&p, &mem, 1, VM_MEM_SRC_ANONYMOUS, size);
	backing_mem_alloc(&twin, VM_MEM_SRC_ANONYMOUS, size, 0);
	page_worker_write(&p.workers[0], 0, n, 2);
	memset(mem.hva, EQUAL_BYTE, size);
	memset(twin.hva, EQUAL_BYTE, size);

	breadcrumb("merge equal pages");
	flushes = vm_tlb_flush_requests(p.vm);
	merge(&mem, &twin);
	vm_expect_tlb_flush(p.vm, flushes, "writable pages were merged");
	for (i = 0; i < n; i += 2)
		expect_word(&p.workers[0], AREA_GPA + i * PAGE_SIZE, EQUAL_WORD,
			    "with all pages merged");
	breadcrumb("write to merged pages");
	for (i = 0; i < n; i++) {
		page_worker_access(&p.workers[0], AREA_GPA + i * PAGE_SIZE + i * 8, true, i);
		page_worker_end(&p.workers[0]);
	}
	check_merged(&mem, true, "the guest's memory");
	check_merged(&twin, false, "other memory");
	for (i = 0; i < n; i++) {
		expect_word(&p.workers[0], AREA_GPA + i * PAGE_SIZE + i * 8, i,
			    "after it wrote there");
		expect_word(&p.workers[0], AREA_GPA + i * PAGE_SIZE + (i + 1) * 8,
			    EQUAL_WORD, "next to where it wrote");
	}
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
	backing_mem_free(&twin);
}

KVM_TEST_MAIN()
