// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's memory management does to the pages of a guest with a view of
 * its own: takes them away while vCPUs fault on them, moves them to another
 * address, merges equal ones, watches them, reclaims those that are clean. Guest
 * and host see the same memory all the time, and the host owns what it took.
 *
 * What breaks it: a fault that does not see that its page is being taken away, an
 * invalidation of too few slots or pages, one without a flush, a dirty bit that
 * stays KVM's secret, a read-only page that becomes writable.
 *
 * host_page_test has the sizes of the pages, memslot_hva_test the memslots.
 */
#include <fcntl.h>
#include <sched.h>
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

static void create(struct page_vm *p, struct backing_mem *mem, uint32_t nr_vcpus,
		   enum vm_mem_backing_src_type src, size_t size)
{
	page_vm_create(p, nr_vcpus, AREA_GPA, size, PG_LEVEL_2M, 1);
	page_vm_add_mem(p, mem, src, DATA_SLOT);
}

/* Like what this unit of host memory takes with it. */
static size_t unit_of(enum vm_mem_backing_src_type src)
{
	return get_backing_src_pagesz(src);
}

/* ---- faults while pages go ---- */

/*
 * vCPUs touch all pages at random while the host takes them away. Whoever maps one
 * between the notifier's start and the end of the system call maps a page that is
 * somebody else's soon: then guest and host do not see the same any more.
 */
KVM_TEST(faults_while_pages_go)
{
	const size_t size = 2 * SZ_2M;
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;

	create(&p, &mem, 2, VM_MEM_SRC_ANONYMOUS, size);
	for (i = 0; i < 20; i++) {
		page_worker_read(&p.workers[0], "with the host's pattern everywhere");
		if (i % 5 == 0)
			breadcrumb("take all pages away, %u", i);
		page_worker_start(&p.workers[0], PAGES_RANDOM_LOOP);
		page_worker_start(&p.workers[1], PAGES_RANDOM_LOOP);
		page_worker_wait_loops(&p.workers[i & 1], 1);
		TEST_ERROR_ON(madvise(mem.hva, size, MADV_DONTNEED), "MADV_DONTNEED");
		page_worker_stop(&p.workers[0], "while pages went");
		page_worker_stop(&p.workers[1], "while pages went");
		page_area_fill(&p.area, 0, p.area.npages, i + 2);
	}
	page_worker_read(&p.workers[1], "with the host's pattern everywhere");
	page_worker_write(&p.workers[0], 0, p.area.npages, 100);
	page_area_check(&p.area, "after the guest wrote everything");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
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

/* The host's memory, in another order than the guest's. */
static void add_scattered(struct page_vm *p, const struct backing_mem *mem)
{
	static const unsigned int hva_of[] = { 2, 0, 3, 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hva_of); i++)
		vm_mem_region_add_backing(p->vm, mem, (char *)mem->hva + hva_of[i] * SZ_2M,
					  AREA_GPA + i * SZ_2M, DATA_SLOT + i,
					  SZ_2M / PAGE_SIZE, 0);
}

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

	page_vm_create(&p, 1, AREA_GPA, 4 * SZ_2M, PG_LEVEL_2M, 1);
	backing_mem_alloc(&mem, variant->src, 4 * SZ_2M, AREA_GPA);
	add_scattered(&p, &mem);
	page_area_fill(&p.area, 0, p.area.npages, 1);
	if (variant->src == VM_MEM_SRC_ANONYMOUS_THP)
		backing_require_huge(mem.hva, mem.size);
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
};
KVM_FIXTURE(lazily_freed)
FIXTURE_VARIANT_ADD(lazily_freed, of_4k) { VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(lazily_freed, thp) { VM_MEM_SRC_ANONYMOUS_THP };

/* Pages on their way to the LRU lists are on a list of their CPU. */
static void stay_on_this_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ERROR_ON(cpu < 0 || sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/*
 * After MADV_FREE the host may throw pages away that are clean. What the guest
 * writes then is in KVM's dirty bit only, until KVM unmaps the page and says so.
 */
KVM_TEST_F(lazily_freed, what_the_guest_wrote_is_not_clean)
{
	const size_t size = 2 * SZ_2M, unit = unit_of(variant->src);
	const uint64_t step = unit / PAGE_SIZE;
	uint64_t i, gone = 0;
	struct backing_mem mem;
	struct page_vm p;

	stay_on_this_cpu();
	create(&p, &mem, 1, variant->src, size);
	page_worker_write(&p.workers[0], 0, p.area.npages, 2);
	breadcrumb("MADV_FREE");
	TEST_ERROR_ON(madvise(mem.hva, size, MADV_FREE), "MADV_FREE");
	/* The first of each two units; the other one is nobody's. */
	page_area_set_round(&p.area, 0, p.area.npages, ROUND_NONE);
	for (i = 0; i < p.area.npages; i += 2 * step)
		memset(p.area.todo + i, 3, step);
	page_worker_write_todo(&p.workers[0]);
	breadcrumb("MADV_PAGEOUT");
	__TEST_REQUIRE(!madvise(mem.hva, size, MADV_PAGEOUT), "needs MADV_PAGEOUT (Linux 5.4)");
	page_worker_read(&p.workers[0], "after the host has reclaimed what is clean");
	page_area_check(&p.area, "after the host has reclaimed what is clean");
	for (i = step; i < p.area.npages; i += 2 * step)
		gone += !((uint64_t *)mem.hva)[i * PAGE_WORDS];
	if (!gone)
		pr_info("the host has reclaimed nothing: this case could not fail");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
