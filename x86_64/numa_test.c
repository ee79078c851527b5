// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host moves pages from one of its nodes to the other, again and again, while
 * vCPUs count in them. No count is lost, and nobody reads what was there before.
 *
 * What breaks this: a translation that outlives the page that it leads to, a fault
 * that maps the old page while it is being copied, a dirty bit that is lost.
 */
#include <sys/syscall.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(numa_test, .needs = { .mem_mb = 64 });

#define AREA_GPA	(5 * SZ_1G)
#define DATA_SLOT	1
#define AREA_SIZE	(2 * SZ_2M)
#define NPAGES		(AREA_SIZE / PAGE_SIZE)
#define MPOL_MF_MOVE	BIT(1)

FIXTURE_VARIANT(pages) {
	enum vm_mem_backing_src_type src;
};
KVM_FIXTURE(pages)
FIXTURE_VARIANT_ADD(pages, anonymous) { VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(pages, thp) { VM_MEM_SRC_ANONYMOUS_THP };
FIXTURE_VARIANT_ADD(pages, shmem) { VM_MEM_SRC_SHMEM };

/* The first two nodes with memory. */
static bool find_nodes(int node[2])
{
	FILE *f = fopen("/sys/devices/system/node/has_memory", "re");
	char sep = 0;
	bool found;

	found = f && fscanf(f, "%d%c%d", &node[0], &sep, &node[1]) == 3;
	if (found && sep == '-')
		node[1] = node[0] + 1;
	if (f)
		fclose(f);
	return found;
}

/* Returns how many pages are on @node afterwards; some may be busy. */
static size_t move_to(char *hva, int node)
{
	static void *pages[NPAGES];
	static int nodes[NPAGES], status[NPAGES];
	size_t i, moved = 0;
	long ret;

	for (i = 0; i < NPAGES; i++) {
		pages[i] = hva + i * PAGE_SIZE;
		nodes[i] = node;
	}
	ret = syscall(SYS_move_pages, 0, (unsigned long)NPAGES, pages, nodes, status, MPOL_MF_MOVE);
	TEST_ERROR_ON(ret < 0, "move_pages()");
	TEST_ERROR_ON(syscall(SYS_move_pages, 0, (unsigned long)NPAGES, pages, NULL, status, 0),
		      "move_pages()");
	for (i = 0; i < NPAGES; i++)
		moved += status[i] == node;
	return moved;
}

static void check_counts(struct page_area *area, const uint64_t *mem, uint64_t loops)
{
	size_t i;

	for (i = 0; i < NPAGES; i++)
		TEST_ASSERT(mem[i * PAGE_WORDS + PAGE_USER_WORD] == loops,
			    "the guest counted to %lu in each page, but gpa 0x%lx holds %lu: a write was lost",
			    loops, area->gpa + i * PAGE_SIZE, mem[i * PAGE_WORDS + PAGE_USER_WORD]);
}

KVM_TEST_F(pages, move_between_nodes)
{
	struct backing_mem mem;
	struct page_vm p;
	unsigned int i;
	size_t moved = 0;
	int node[2];

	__TEST_REQUIRE(find_nodes(node), "needs two NUMA nodes: another machine, or lab/run --numa 2");
	__TEST_REQUIRE(variant->src != VM_MEM_SRC_ANONYMOUS_THP || thp_configured(),
		       "needs transparent huge pages: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
	page_vm_create(&p, 2, AREA_GPA, AREA_SIZE, PG_LEVEL_2M, 8);
	page_vm_add_mem(&p, &mem, variant->src, DATA_SLOT);
	page_worker_start(&p.workers[0], PAGES_BUMP_LOOP);
	page_worker_start(&p.workers[1], PAGES_READ_LOOP);
	for (i = 0; i < test_tries(12); i++) {
		page_worker_wait_loops(&p.workers[0], 1);
		breadcrumb("move %u: to node %d", i, node[i & 1]);
		moved += move_to(mem.hva, node[i & 1]);
	}
	TEST_ERROR_ON(moved < NPAGES, "the host did not move pages that guests use");
	page_worker_wait_loops(&p.workers[0], 1);
	page_worker_stop(&p.workers[0], "counting while pages move");
	page_worker_stop(&p.workers[1], "reading while pages move");
	page_area_check(&p.area, "after the pages have moved");
	check_counts(&p.area, mem.hva, p.workers[0].job->loops);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
