// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host does to the pages below a guest: it takes them away, exchanges
 * them, splits and collapses huge ones, changes their protection, or shares them
 * with a child. When the system call has returned, the guest sees the new world,
 * and what was not touched keeps its data.
 *
 * What breaks it: an MMU notifier that zaps too little (one 4K page is part of a
 * large SPTE), a missing TLB flush, a fault that races with the notifier, a
 * read-only host page that is mapped writable.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(host_page_test, .needs = { .mem_mb = 256 });

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25		/* Linux 6.1 */
#endif

#define AREA_GPA	(5 * SZ_1G)
#define DATA_SLOT	1

static void create(struct page_vm *p, struct backing_mem *mem, uint32_t nr_vcpus,
		   enum vm_mem_backing_src_type src, size_t size)
{
	page_vm_create(p, nr_vcpus, AREA_GPA, size, PG_LEVEL_2M, 1);
	page_vm_add_mem(p, mem, src, DATA_SLOT);
}

/* ---- pages that go ---- */

enum drop_how { DROP_DONTNEED, DROP_PUNCH_HOLE, DROP_MMAP_OVER, DROP_MREMAP_OVER };

FIXTURE_VARIANT(drop) {
	enum vm_mem_backing_src_type src;
	enum drop_how how;
	size_t unit;			/* what the host drops at a time */
};
KVM_FIXTURE(drop)

#define DROP(name, host, what, bytes)					\
	FIXTURE_VARIANT_ADD(drop, name) {				\
		.src = VM_MEM_SRC_##host, .how = DROP_##what, .unit = bytes, \
	};

DROP(madvise_4k, ANONYMOUS, DONTNEED, SZ_4K)
DROP(madvise_4k_of_thp, ANONYMOUS_THP, DONTNEED, SZ_4K)
DROP(madvise_thp, ANONYMOUS_THP, DONTNEED, SZ_2M)
DROP(punch_4k_of_shmem, SHMEM, PUNCH_HOLE, SZ_4K)
DROP(punch_hugetlb_2m, SHARED_HUGETLB_2MB, PUNCH_HOLE, SZ_2M)
DROP(mmap_over_4k_of_thp, ANONYMOUS_THP, MMAP_OVER, SZ_4K)
DROP(mmap_over_thp, ANONYMOUS_THP, MMAP_OVER, SZ_2M)
DROP(mremap_over_4k_of_thp, ANONYMOUS_THP, MREMAP_OVER, SZ_4K)
DROP(mremap_over_thp, ANONYMOUS_THP, MREMAP_OVER, SZ_2M)

/* Pages of zeroes that are there already, in page tables that are moved. */
static bool mremap_over(char *hva, size_t size)
{
	char *zeroes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (zeroes == MAP_FAILED)
		return false;
	madvise(zeroes, size, MADV_NOHUGEPAGE);
	memset(zeroes, 0, size);
	return mremap(zeroes, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, hva) == hva;
}

static void drop(const struct backing_mem *mem, size_t offset, size_t size,
		 enum drop_how how)
{
	char *hva = (char *)mem->hva + offset;
	int ret = 0;

	switch (how) {
	case DROP_DONTNEED:
		ret = madvise(hva, size, MADV_DONTNEED);
		break;
	case DROP_PUNCH_HOLE:
		ret = fallocate(mem->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				offset, size);
		break;
	case DROP_MMAP_OVER:
		if (mmap(hva, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			ret = -1;
		else
			madvise(hva, size, MADV_NOHUGEPAGE);
		break;
	case DROP_MREMAP_OVER:
		ret = mremap_over(hva, size) ? 0 : -1;
		break;
	}
	TEST_ERROR_ON(ret, "cannot drop 0x%lx bytes at hva %p", size, hva);
}

/* A new page of the host, likely the one that was just freed. */
static void take_freed_page(const FIXTURE_VARIANT(drop) *variant,
			    struct backing_mem *other)
{
	backing_mem_alloc(other, variant->unit == SZ_4K ? VM_MEM_SRC_ANONYMOUS :
			  variant->src == VM_MEM_SRC_SHARED_HUGETLB_2MB ?
			  VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB :
			  VM_MEM_SRC_ANONYMOUS_THP, variant->unit, 0);
	memset(other->hva, 0xee, variant->unit);
}

static void check_other(const struct backing_mem *other)
{
	const uint8_t *byte = other->hva;
	size_t i;

	for (i = 0; i < other->size; i++)
		TEST_ASSERT(byte[i] == 0xee,
			    "the guest's write to a dropped page went to other memory of the host: byte 0x%zx of it is 0x%x, not 0xee",
			    i, byte[i]);
}

/* How much of the area the host still maps in whole large pages. */
static void model_after_drop(struct page_area *area, size_t unit,
			     struct page_sizes *want)
{
	page_area_model(area, want);
	if (want->n2m) {
		want->n2m--;
	} else {
		want->n4k -= unit / PAGE_SIZE;
	}
}

KVM_TEST_F(drop, leaves_zeroes_and_nothing_else)
{
	const size_t offset = SZ_2M + (variant->unit == SZ_4K ? 37 * PAGE_SIZE : 0);
	const uint64_t first = offset / PAGE_SIZE, n = variant->unit / PAGE_SIZE;
	struct backing_mem mem, other;
	struct page_sizes want;
	struct page_vm p;
	int64_t flushes;

	create(&p, &mem, 1, variant->src, 3 * SZ_2M);
	page_worker_map_all(&p.workers[0], 2);
	model_after_drop(&p.area, variant->unit, &want);
	breadcrumb("drop 0x%lx bytes", variant->unit);
	flushes = vm_tlb_flush_requests(p.vm);
	drop(&mem, offset, variant->unit, variant->how);
	vm_expect_tlb_flush(p.vm, flushes, "right after the host dropped pages");
	page_area_check_sizes(&p.area, &want, "right after the host dropped pages");
	take_freed_page(variant, &other);

	page_area_set_round(&p.area, first, n, ROUND_ZERO);
	page_worker_read(&p.workers[0], "after the host dropped pages");
	page_worker_write(&p.workers[0], first, n, 3);
	page_worker_read(&p.workers[0], "after the guest wrote dropped pages");
	page_area_check(&p.area, "after the guest wrote dropped pages");
	check_other(&other);

	/* The rest of a THP that was split is 4K now; hugetlb is never split. */
	page_area_model(&p.area, &want);
	if (variant->src == VM_MEM_SRC_ANONYMOUS_THP) {
		want.n2m--;
		want.n4k = SZ_2M / PAGE_SIZE;
	}
	page_worker_check_sizes(&p.workers[0], &want, "with the dropped pages refilled");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
	backing_mem_free(&other);
}

/* A guest that stays in guest mode has the page in its TLB. */
KVM_TEST_F(drop, a_running_guest_sees_at_once)
{
	const bool huge = get_backing_src_pagesz(variant->src) == SZ_2M;
	const unsigned int tries = test_tries(8);
	const size_t stride = huge ? SZ_2M : SZ_4K;
	const size_t hugetlb_size = 4 * SZ_2M, thp_size = 8 * SZ_2M;
	struct backing_mem mem;
	struct page_worker *w;
	struct page_vm p;
	unsigned int i;
	size_t size = !huge ? SZ_2M :
		      variant->src == VM_MEM_SRC_ANONYMOUS_THP ? thp_size : hugetlb_size;

	create(&p, &mem, 1, variant->src, size);
	w = &p.workers[0];
	breadcrumb("drop pages under a running guest");
	for (i = 0; i < tries; i++) {
		size_t offset = i * stride % size + (variant->unit == SZ_4K && huge ?
						     5 * PAGE_SIZE : 0);
		uint64_t *word = (uint64_t *)((char *)mem.hva + offset) + PAGE_USER_WORD;
		uint64_t value;

		*word = 0x1000 + i;
		page_worker_hot(w, PAGES_HOT_READ, AREA_GPA + offset + PAGE_USER_WORD * 8);
		drop(&mem, offset, variant->unit, variant->how);
		value = page_worker_go(w);
		TEST_ASSERT(!value,
			    "the host dropped gpa 0x%lx, and the running guest still reads 0x%lx there, not 0: a stale TLB entry or SPTE? (try %u)",
			    AREA_GPA + offset, value, i);
		page_worker_stop(w, "reading all the time");
	}
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- protection ---- */

KVM_TEST(mprotect_of_4k_in_a_thp, .thp = true)
{
	const uint64_t page = SZ_2M / PAGE_SIZE + 100;
	const gpa_t gpa = AREA_GPA + page * PAGE_SIZE;
	struct page_sizes want;
	struct backing_mem mem;
	struct page_worker *w;
	struct page_vm p;
	int64_t flushes;
	char *hva;

	create(&p, &mem, 1, VM_MEM_SRC_ANONYMOUS_THP, 3 * SZ_2M);
	w = &p.workers[0];
	page_worker_map_all(&p.workers[0], 2);
	hva = (char *)mem.hva + page * PAGE_SIZE;
	model_after_drop(&p.area, SZ_4K, &want);

	breadcrumb("read-only");
	flushes = vm_tlb_flush_requests(p.vm);
	TEST_ERROR_ON(mprotect(hva, PAGE_SIZE, PROT_READ), "mprotect");
	vm_expect_tlb_flush(p.vm, flushes, "right after mprotect(PROT_READ) of one page");
	page_area_check_sizes(&p.area, &want, "right after mprotect(PROT_READ) of one page");
	page_worker_read(w, "with one page read-only for the host");
	page_worker_expect_efault(w, gpa, true, "read-only");
	page_area_check(&p.area, "after the guest failed to write");
	TEST_ERROR_ON(mprotect(hva, PAGE_SIZE, PROT_READ | PROT_WRITE), "mprotect");
	page_worker_end(w);
	TEST_ASSERT(*(uint64_t *)hva == 0x55,
		    "the guest's write of gpa 0x%lx was completed, but the host reads 0x%lx, not 0x55",
		    gpa, *(uint64_t *)hva);
	page_worker_write(w, 0, p.area.npages, 3);

	breadcrumb("no access");
	TEST_ERROR_ON(mprotect(hva, PAGE_SIZE, PROT_NONE), "mprotect");
	page_worker_expect_efault(w, gpa, false, "inaccessible");
	TEST_ERROR_ON(mprotect(hva, PAGE_SIZE, PROT_READ | PROT_WRITE), "mprotect");
	page_worker_end(w);
	page_worker_write(w, 0, p.area.npages, 4);
	page_area_check(&p.area, "after all is writable again");
	/* The host's page table has split the page: KVM maps its block with 4K. */
	want.n4k = SZ_2M / PAGE_SIZE;
	page_worker_check_sizes(w, &want, "after all is writable again");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* Read first, memory is one shared page of zeroes; a guest's write must not reach it. */
FIXTURE_VARIANT(zero_page) {
	enum vm_mem_backing_src_type src;
};
KVM_FIXTURE(zero_page)
FIXTURE_VARIANT_ADD(zero_page, of_4k) { .src = VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(zero_page, of_2m) { .src = VM_MEM_SRC_ANONYMOUS_THP };

static void check_zero(const char *memory, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += sizeof(uint64_t))
		TEST_ASSERT(!*(const uint64_t *)(memory + i),
			    "the guest wrote into the host's shared zero page: other memory reads 0x%lx at 0x%zx",
			    *(const uint64_t *)(memory + i), i);
}

KVM_TEST_F(zero_page, stays_zero)
{
	const uint64_t npages = 2 * SZ_2M / PAGE_SIZE;
	struct backing_mem other;
	struct page_vm p;
	uint64_t i;

	page_vm_create(&p, 1, AREA_GPA, 2 * SZ_2M, PG_LEVEL_2M, 1);
	vm_userspace_mem_region_add(p.vm, variant->src, AREA_GPA, DATA_SLOT, npages, 0);
	backing_mem_alloc(&other, variant->src, 2 * SZ_2M, 0);
	breadcrumb("read the zero page");
	check_zero(other.hva, other.size);
	page_area_set_round(&p.area, 0, npages, ROUND_ZERO);
	page_worker_read(&p.workers[0], "before anybody wrote");

	breadcrumb("write the zero page");
	for (i = 0; i < npages; i += 5) {
		p.area.todo[i] = 1;
		if (i % 64 == 0)
			page_worker_write_todo(&p.workers[0]);
	}
	page_worker_write_todo(&p.workers[0]);
	check_zero(other.hva, other.size);
	page_worker_read(&p.workers[0], "after the guest wrote each fifth page");
	page_area_check(&p.area, "after the guest wrote each fifth page");
	kvm_vm_free(p.vm);
	backing_mem_free(&other);
}

/* ---- fork ---- */

/* The child of a VMM shares its pages copy-on-write; the guest's writes are the parent's. */
FIXTURE_VARIANT(fork) {
	enum vm_mem_backing_src_type src;
};
KVM_FIXTURE(fork)
FIXTURE_VARIANT_ADD(fork, of_4k) { .src = VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(fork, of_thp) { .src = VM_MEM_SRC_ANONYMOUS_THP };

/* In the child: 0 when every page still holds @round's pattern. */
static int check_in_child(struct page_area *area, const uint64_t *before)
{
	uint64_t i;

	for (i = 0; i < area->npages; i++) {
		const uint64_t *page = addr_gpa2hva(area->vm,
						    area->gpa + i * PAGE_SIZE);

		if (page[i % PAGE_USER_WORD] != before[i])
			return 1;
	}
	return 0;
}

KVM_TEST_F(fork, the_child_keeps_the_old_data)
{
	const size_t size = 2 * SZ_2M;
	uint64_t before[2 * SZ_2M / PAGE_SIZE], i;
	struct backing_mem mem;
	int go[2], status = -1;
	struct page_vm p;
	char byte = 0;
	pid_t pid;

	create(&p, &mem, 1, variant->src, size);
	page_worker_map_all(&p.workers[0], 2);
	for (i = 0; i < ARRAY_SIZE(before); i++)
		before[i] = ((uint64_t *)mem.hva)[i * PAGE_WORDS + i % PAGE_USER_WORD];
	TEST_ERROR_ON(pipe(go), "pipe");
	breadcrumb("fork");
	pid = fork();
	TEST_ERROR_ON(pid < 0, "fork");
	if (!pid) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(check_in_child(&p.area, before));
	}
	page_worker_write(&p.workers[0], 0, p.area.npages, 3);
	page_area_check(&p.area, "after the guest wrote what a child shares");
	TEST_ERROR_ON(write(go[1], &byte, 1) != 1 || waitpid(pid, &status, 0) != pid,
		      "cannot wait for the child");
	TEST_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		    "the guest's writes reached the copy of a forked child (its status is 0x%x)",
		    status);
	page_worker_write(&p.workers[0], 0, p.area.npages, 4);
	page_worker_read(&p.workers[0], "after the child is gone");
	page_area_check(&p.area, "after the child is gone");
	close(go[0]);
	close(go[1]);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- splitting and collapsing under running guests ---- */

/* Splits the host's mapping of the 2M around @hva, in one of three ways. */
static void split_thp(char *hva, unsigned int how)
{
	int ret = 0;

	if (how == 0)
		ret = madvise(hva, PAGE_SIZE, MADV_DONTNEED);
	else
		ret = mprotect(hva, PAGE_SIZE, PROT_READ | (how == 1 ? PROT_WRITE |
			       PROT_EXEC : 0)) ||
		      mprotect(hva, PAGE_SIZE, PROT_READ | PROT_WRITE);
	TEST_ERROR_ON(ret, "cannot split the huge page at %p", hva);
	*(volatile char *)hva = 0;	/* a page again, for the collapse */
}

static bool collapse(const struct backing_mem *mem)
{
	static bool said;
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		if (!madvise(mem->hva, mem->size, MADV_COLLAPSE))
			return true;
		if (errno == EINVAL)
			break;
		usleep(1000);	/* EAGAIN, EBUSY: a page was in use */
	}
	if (!said)
		pr_info("MADV_COLLAPSE: %s; the collapse is left out", strerror(errno));
	said = true;
	return false;
}

KVM_TEST(split_and_collapse_under_guests, .thp = true)
{
	/* Nobody looks at this page of each 2M, which the host splits at. */
	const uint64_t split_page = 77;
	const size_t size = 2 * SZ_2M;
	struct backing_mem mem;
	struct page_vm p;
	bool collapsed = false;
	uint64_t i;

	create(&p, &mem, 2, VM_MEM_SRC_ANONYMOUS_THP, size);
	TEST_ERROR_ON(madvise(mem.hva, size, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	for (i = split_page; i < p.area.npages; i += 512)
		page_area_set_round(&p.area, i, 1, ROUND_NONE);
	page_worker_start(&p.workers[0], PAGES_BUMP_LOOP);
	page_worker_start(&p.workers[1], PAGES_READ_LOOP);
	for (i = 0; i < test_tries(12); i++) {
		breadcrumb("split, %lu", i);
		split_thp((char *)mem.hva + (i & 1) * SZ_2M + split_page * PAGE_SIZE,
			  i / 2 % 3);
		page_worker_wait_loops(&p.workers[0], 1);
		breadcrumb("collapse, %lu", i);
		collapsed = collapse(&mem);
		page_worker_wait_loops(&p.workers[0], 1);
	}
	page_worker_stop(&p.workers[0], "counting while the host splits and collapses");
	page_worker_stop(&p.workers[1], "reading while the host splits and collapses");
	page_area_check(&p.area, "after the host split and collapsed");
	for (i = 0; i < p.area.npages; i++) {
		uint64_t *word = (uint64_t *)mem.hva + i * PAGE_WORDS + PAGE_USER_WORD;

		TEST_ASSERT(p.area.round[i] == ROUND_NONE ||
			    *word == p.workers[0].job->loops,
			    "the guest counted to %lu in each page, but gpa 0x%lx holds %lu: a write was lost",
			    p.workers[0].job->loops, AREA_GPA + i * PAGE_SIZE, *word);
	}
	for (i = split_page; i < p.area.npages; i += 512)
		page_area_fill(&p.area, i, 1, 2);
	if (collapsed && backing_huge_bytes(mem.hva, size) == size)
		page_worker_check_sizes(&p.workers[0], NULL, "after the last collapse");
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* CPUs keep what they have read of upper tables, too. */
KVM_TEST(collapsed_page_flushes_its_table, .thp = true)
{
	const uint64_t split_page = 77;
	struct backing_mem mem;
	struct page_vm p;
	int64_t flushes, large;

	/* With it, KVM keeps a table that is there. */
	kvm_set_module_param("kvm", "nx_huge_pages", "N");
	create(&p, &mem, 1, VM_MEM_SRC_ANONYMOUS_THP, SZ_2M);
	TEST_ERROR_ON(madvise(mem.hva, mem.size, MADV_HUGEPAGE), "MADV_HUGEPAGE");
	page_area_set_round(&p.area, split_page, 1, ROUND_NONE);
	split_thp((char *)mem.hva + split_page * PAGE_SIZE, 0);
	page_worker_read(&p.workers[0], "in small pages");
	breadcrumb("collapse");
	__TEST_REQUIRE(collapse(&mem), "needs MADV_COLLAPSE, of Linux 6.1, and a free huge page");
	large = vm_get_stat(p.vm, pages_2m);
	flushes = vm_tlb_flush_requests(p.vm);
	page_worker_read(&p.workers[0], "after the collapse");
	/* With shadow paging, the guest's own pages may be small. */
	if (page_area_model_level(&p.area, AREA_GPA) == PG_LEVEL_2M) {
		TEST_ASSERT_ORACLE(ORACLE_STATS, vm_get_stat(p.vm, pages_2m) == large + 1,
				   "the host has collapsed gpa 0x%lx to a huge page, and pages_2m went from %ld to %ld",
				   AREA_GPA, large, vm_get_stat(p.vm, pages_2m));
		vm_expect_tlb_flush(p.vm, flushes, "a large page took the place of a table");
	}
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
