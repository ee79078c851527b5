// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host looks for memory that nobody uses, and asks KVM what guests have used: KVM
 * then clears accessed bits or, where the CPU has none, takes the rights from entries
 * until the next access. What a guest uses stays; it finds everything as it was, and
 * what it writes next is logged.
 *
 * DAMON asks for nothing else: which pages of a process were used lately, by its guests,
 * too. It is in Debian's kernels since Linux 6.12.
 *
 * MADV_FREE'd pages are reclaimed without any swap if they are clean, and MADV_PAGEOUT
 * asks for those at once. Clean they are only where KVM maps them read-only. Since
 * Linux 6.9 it does not look who uses them: there it only unmaps.
 *
 * What breaks it: an aging that tells the wrong page, that does not tell or clear, that
 * gives rights back which the entry did not have, or loses a dirty bit.
 */
#include <sys/mman.h>

#include "damon.h"
#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(aging_test, .needs = { .mem_mb = 64 });

#define AREA_GPA	(5 * SZ_1G)
#define SLOT		1
#define NR_PAGES	64UL
#define SIZE		(NR_PAGES * PAGE_SIZE)
#define ROUNDS		5
#define STEP		64

static void create(struct page_vm *p, struct backing_mem *mem, uint32_t flags)
{
	/* Pages on their way to the LRU lists are on a list of their CPU. */
	stay_on_this_cpu();
	page_vm_create(p, 1, AREA_GPA, SIZE, PG_LEVEL_4K, STEP);
	page_vm_add_mem(p, mem, VM_MEM_SRC_ANONYMOUS, SLOT);
	if (flags & KVM_MEM_READONLY) {
		/* This flag cannot be had later. */
		vm_mem_region_delete(p->vm, SLOT);
		vm_mem_region_add_backing(p->vm, mem, mem->hva, AREA_GPA, SLOT, NR_PAGES,
					  flags);
	} else {
		vm_mem_region_set_flags(p->vm, SLOT, flags);
	}
}

static void reclaim(struct backing_mem *mem)
{
	__TEST_REQUIRE(!madvise(mem->hva, SIZE, MADV_PAGEOUT),
		       "needs MADV_PAGEOUT (Linux 5.4)");
}

static void expect_some_gone(unsigned int gone, gpa_t gpa)
{
	TEST_ASSERT(gone, "the host has reclaimed none of %lu pages from gpa 0x%lx on that the guest has not used for %d times: KVM does not let them age",
		    NR_PAGES / 2, gpa, ROUNDS);
}

KVM_TEST(pages_in_use_stay)
{
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i, gone = 0;

	__TEST_REQUIRE(!kernel_at_least(6, 9),
		       "needs a MADV_PAGEOUT that asks who uses a page, as before Linux 6.9");
	create(&p, &mem, KVM_MEM_READONLY);
	TEST_ERROR_ON(madvise(mem.hva, SIZE, MADV_FREE), "MADV_FREE");
	page_worker_read(&p.workers[0], "before");
	/* Odd pages are not used any more. */
	for (i = 1; i < NR_PAGES; i += 2)
		page_area_set_round(&p.area, i, 1, ROUND_NONE);
	for (i = 0; i < ROUNDS; i++) {
		breadcrumb("reclaim %u", i);
		reclaim(&mem);
		page_worker_read(&p.workers[0], "the host has reclaimed what the guest does not use, and it uses this page all the time");
	}
	/* What is reclaimed is zero. */
	for (i = 1; i < NR_PAGES; i += 2)
		gone += !((uint64_t *)mem.hva)[i * PAGE_WORDS + i % STEP];
	expect_some_gone(gone, AREA_GPA);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

NESTED_VARIANTS(l2)

/* Where the TLB still has a page, no CPU would say that it is used. */
static void read_from_l2(struct nested_cpu *cpu, unsigned int step, const char *when)
{
	unsigned int i;

	l1_flush(cpu);
	for (i = 0; i < NR_PAGES; i += step)
		l2_read(cpu, i * PAGE_SIZE, i + 1);
	nested_run(cpu, "%s", when);
}

/* What only an L2 has mapped is found elsewhere than what a guest has. */
KVM_TEST_F(l2, pages_in_use_stay)
{
	unsigned int i, gone = 0;
	struct backing_mem mem;
	struct nested_cpu *cpu;
	struct nested n;

	__TEST_REQUIRE(!kernel_at_least(6, 9),
		       "needs a MADV_PAGEOUT that asks who uses a page, as before Linux 6.9");
	/* construct_eptp(): an L2 without EPT of its own runs without accessed bits. */
	__TEST_REQUIRE(variant->paging || host_is_amd() || !kvm_is_tdp_enabled(),
		       "needs SVM, or kvm_intel.ept=0: with EPT, KVM does not see what such an L2 uses");
	stay_on_this_cpu();
	nested_create(&n, 1, variant->paging);
	cpu = &n.cpu[0];
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, NESTED_GPA);
	vm_mem_region_add_backing(n.vm, &mem, mem.hva, NESTED_GPA, NESTED_SLOT, NR_PAGES,
				  KVM_MEM_READONLY);
	for (i = 0; i < NR_PAGES; i++)
		((uint64_t *)mem.hva)[i * PAGE_WORDS] = i + 1;
	nested_map(&n, 0, NESTED_GPA, SIZE, PG_LEVEL_4K, NESTED_RWX);
	TEST_ERROR_ON(madvise(mem.hva, SIZE, MADV_FREE), "MADV_FREE");
	read_from_l2(cpu, 1, "before");
	for (i = 0; i < ROUNDS; i++) {
		breadcrumb("reclaim %u", i);
		reclaim(&mem);
		/* Odd pages are not used any more. */
		read_from_l2(cpu, 2, "the host has reclaimed what L2 does not use, and it uses this page all the time");
	}
	for (i = 1; i < NR_PAGES; i += 2)
		gone += !((uint64_t *)mem.hva)[i * PAGE_WORDS];
	expect_some_gone(gone, NESTED_GPA);
	nested_free(&n);
	backing_mem_free(&mem);
}

KVM_TEST(what_is_written_then_is_logged)
{
	struct backing_mem mem;
	uint64_t log, want;
	struct page_vm p;
	unsigned int i, j;

	create(&p, &mem, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ERROR_ON(madvise(mem.hva, SIZE, MADV_FREE), "MADV_FREE");
	page_worker_read(&p.workers[0], "before");
	page_worker_write(&p.workers[0], 0, NR_PAGES, 2);
	for (i = 0; i < ROUNDS; i++) {
		breadcrumb("reclaim %u", i);
		/* Write-protected and aged, in both orders. */
		if (i % 2)
			reclaim(&mem);
		kvm_vm_get_dirty_log(p.vm, SLOT, &log);
		if (!(i % 2))
			reclaim(&mem);
		for (j = i % 3, want = 0; j < NR_PAGES; j += 3) {
			p.area.todo[j] = 3 + i;
			want |= BIT(j);
		}
		page_worker_read(&p.workers[0], "after aging");
		page_worker_write_todo(&p.workers[0]);
		kvm_vm_get_dirty_log(p.vm, SLOT, &log);
		/* Others are in it if the host has unmapped them, and they were read. */
		TEST_ASSERT(!(want & ~log), "after aging %u the guest has written pages 0x%lx of the slot at gpa 0x%lx; the dirty log has 0x%lx",
			    i, want, AREA_GPA, log);
		page_worker_write(&p.workers[0], 0, NR_PAGES, 100 + i);
		page_area_check(&p.area, "after aging");
	}
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- asked by DAMON ---- */

/* Half of the area is used, half is not any more, and a page between is not watched. */
#define HALF		(NR_PAGES / 2)
#define NR_ANSWERS	4

/* A page is not looked at before it is on an LRU list: others push it there. */
static void push_to_lru(void)
{
	const size_t size = 128 * PAGE_SIZE;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ERROR_ON(p == MAP_FAILED, "mmap");
	memset(p, 1, size);
	munmap(p, size);
}

static void watch_halves(struct damon_range halves[2], const struct backing_mem *mem)
{
	int i;

	push_to_lru();
	for (i = 0; i < 2; i++)
		halves[i] = (struct damon_range){
			.start = (char *)mem->hva + i * (HALF + 1) * PAGE_SIZE,
			.size = (HALF - 1) * PAGE_SIZE,
		};
	breadcrumb("DAMON looks who uses what");
	damon_start(halves, 2);
}

struct answers {
	unsigned int used, not_used;
};

static void ask(struct answers *a, struct damon_range halves[2])
{
	damon_ask(halves, 2);
	test_step("of %u samples, %u and %u have found a page in use", DAMON_SAMPLES,
		  halves[0].used, halves[1].used);
	if (halves[0].used > a->used)
		a->used = halves[0].used;
	if (halves[1].used > a->not_used)
		a->not_used = halves[1].used;
}

static void check_answers(const struct answers *a)
{
	TEST_ASSERT(a->used, "a guest reads %lu pages all the time, and DAMON found none of them in use",
		    HALF - 1);
	TEST_ASSERT(a->not_used <= 1, "no guest uses %lu pages any more, and DAMON found them in use in %u of %u samples",
		    HALF - 1, a->not_used, DAMON_SAMPLES);
}

KVM_TEST(damon_sees_what_is_used, .privileged = true)
{
	struct damon_range halves[2];
	struct answers answers = {};
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;

	damon_prepare();
	stay_on_this_cpu();
	page_vm_create(&p, 1, AREA_GPA, SIZE, PG_LEVEL_4K, STEP);
	page_vm_add_mem(&p, &mem, VM_MEM_SRC_ANONYMOUS, SLOT);
	page_worker_read(&p.workers[0], "before");
	page_area_set_round(&p.area, HALF - 1, NR_PAGES - HALF + 1, ROUND_NONE);
	watch_halves(halves, &mem);
	page_worker_start(&p.workers[0], PAGES_READ_LOOP);
	/* The first answer is about a time when all were new. */
	for (i = 0; i < NR_ANSWERS; i++) {
		ask(&answers, halves);
		if (!i)
			answers = (struct answers){};
	}
	page_worker_stop(&p.workers[0], "while the host looked what is used");
	check_answers(&answers);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

struct l2_reader {
	struct nested_cpu *cpu;
	_Atomic bool stop;
};

static void *l2_reads(void *arg)
{
	struct l2_reader *r = arg;
	unsigned int i;

	while (!r->stop) {
		l1_flush(r->cpu);
		for (i = 0; i < HALF - 1; i++)
			l2_read(r->cpu, i * PAGE_SIZE, i + 1);
		nested_run(r->cpu, "while the host looks what is used");
	}
	return NULL;
}

KVM_TEST_F(l2, damon_sees_what_is_used, .privileged = true)
{
	struct damon_range halves[2];
	struct answers answers = {};
	struct backing_mem mem;
	struct l2_reader r = {};
	pthread_t reader;
	struct nested n;
	unsigned int i;

	/* As in pages_in_use_stay. */
	__TEST_REQUIRE(variant->paging || host_is_amd() || !kvm_is_tdp_enabled(),
		       "needs SVM, or kvm_intel.ept=0: with EPT, KVM does not see what such an L2 uses");
	damon_prepare();
	stay_on_this_cpu();
	nested_create(&n, 1, variant->paging);
	r.cpu = &n.cpu[0];
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, NESTED_GPA);
	vm_mem_region_add_backing(n.vm, &mem, mem.hva, NESTED_GPA, NESTED_SLOT, NR_PAGES, 0);
	for (i = 0; i < NR_PAGES; i++)
		((uint64_t *)mem.hva)[i * PAGE_WORDS] = i + 1;
	nested_map(&n, 0, NESTED_GPA, SIZE, PG_LEVEL_4K, NESTED_RWX);
	read_from_l2(r.cpu, 1, "before");
	watch_halves(halves, &mem);
	TEST_ERROR_ON(pthread_create(&reader, NULL, l2_reads, &r), "cannot start a thread");
	for (i = 0; i < NR_ANSWERS; i++) {
		ask(&answers, halves);
		if (!i)
			answers = (struct answers){};
	}
	r.stop = true;
	pthread_join(reader, NULL);
	check_answers(&answers);
	nested_free(&n);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
