// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot shows what is at its host virtual addresses now. Memory that the
 * host gives up, maps anew, protects, shares with a child process or puts into
 * another slot is for the guest what it is for the host, from the moment the
 * system call returns, and vCPUs get on whatever the host does.
 *
 * What breaks this: MMU notifiers that zap too little or flush no TLB, a read
 * fault that maps a page writable that the host has only for reading (a zero
 * page, a page of the page cache, a page shared with a child), invalidations
 * that are counted for one slot at their start and another at their end.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_hva_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY),
				     NEED_CAP(KVM_CAP_SYNC_MMU)), .mem_mb = 64 },
	.fixes = FIXES("52ac8b358b0c KVM: Block memslot updates across range_start() and range_end()",
		"bd2fae8da794 KVM: do not assume PTE is writable after follow_pfn"));

#define SLOT	1
#define GPA	ARENA_GPA
#define NPAGES	32UL
#define SIZE	(NPAGES * PAGE_SIZE)

#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

static const unsigned int everything[ARENA_MAX_PROBES] = {
	HAMMER_READ | HAMMER_WRITE, HAMMER_READ | HAMMER_EXEC,
};

static void expect_ram_write(struct probe *p, gpa_t gpa, uint64_t value)
{
	struct probe_result r = probe_write(p, gpa, 8, value);

	if (r.outcome != PROBE_RAM)
		probe_unexpected(p, gpa, &r, "a write to RAM");
}

static void expect_efault(struct probe *p, gpa_t gpa, struct probe_result r)
{
	if (r.outcome != PROBE_EFAULT)
		probe_unexpected(p, gpa, &r, "EFAULT from KVM_RUN");
}

/* The access that failed is made again, and works now. */
static void expect_retry(struct probe *p, gpa_t gpa, const uint64_t *value)
{
	struct probe_result r = probe_retry(p);

	if (r.outcome != PROBE_RAM || (value && r.value != *value))
		probe_unexpected(p, gpa, &r, "RAM with the memory's new contents");
}

/* ---- memory that is given up ---- */

FIXTURE_VARIANT(backing) {
	enum vm_mem_backing_src_type type;
	size_t size;
};
KVM_FIXTURE(backing)

FIXTURE_VARIANT_ADD(backing, anonymous) {
	.type = VM_MEM_SRC_ANONYMOUS, .size = SZ_2M,
};
FIXTURE_VARIANT_ADD(backing, anonymous_thp) {
	.type = VM_MEM_SRC_ANONYMOUS_THP, .size = SZ_2M,
};
FIXTURE_VARIANT_ADD(backing, shmem) {
	.type = VM_MEM_SRC_SHMEM, .size = SZ_2M,
};
FIXTURE_VARIANT_ADD(backing, shared_hugetlb_2mb) {
	.type = VM_MEM_SRC_SHARED_HUGETLB_2MB, .size = 2 * SZ_2M,
};

/* The pages are the host's again; who touches the range next gets zeroes. */
static void give_up(struct backing_mem *m, size_t offset, size_t size)
{
	int ret;

	if (m->fd < 0)
		ret = madvise((char *)m->hva + offset, size, MADV_DONTNEED);
	else
		ret = fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				offset, size);
	TEST_ERROR_ON(ret, "cannot give %zu bytes of %s up", size,
		      vm_mem_backing_src_name(m->type));
}

static void expect_zeroes(struct arena *a, gpa_t gpa, size_t npages)
{
	uint64_t out[PROBE_MAX_PAGES];
	unsigned int i, exits;
	char got[128];
	size_t page;

	for (i = 0; i < a->nr_probes; i++) {
		exits = probe_read_pages(&a->probes[i], gpa, npages, PAGE_SIZE, out);
		for (page = 0; page < npages; page++)
			TEST_ASSERT(!out[page],
				    "vCPU %u reads page %zu at gpa 0x%lx, whose memory was given up: got %s, want zero",
				    i, page, gpa + page * PAGE_SIZE,
				    probe_describe_value(out[page], got, sizeof(got)));
		TEST_ASSERT_ORACLE(ORACLE_EXIT, !exits, "%u MMIO exits in a slot", exits);
	}
}

KVM_TEST_F(backing, given_up_memory_is_gone)
{
	const size_t n = SZ_2M / PAGE_SIZE, offset = variant->size - SZ_2M;
	int64_t before, after, flushes;
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	__TEST_REQUIRE(variant->type != VM_MEM_SRC_ANONYMOUS_THP || thp_configured(),
		       "needs transparent huge pages: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
	arena_create(&a, 2, variant->size / PAGE_SIZE);
	patterned_mem_alloc(&mem, variant->type, variant->size, GPA, PATTERN(1));
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (round = 0; round < test_tries(4); round++) {
		arena_write(&a, GPA, &mem, 0, variant->size / PAGE_SIZE);
		arena_expect_mem(&a, GPA, &mem, 0, variant->size / PAGE_SIZE);
		before = vm_mapped_pages(a.vm);
		flushes = vm_tlb_flush_requests(a.vm);
		breadcrumb("round %u: give the last 2M up", round);
		give_up(&mem.mem, offset, SZ_2M);
		after = vm_mapped_pages(a.vm);
		vm_expect_tlb_flush(a.vm, flushes, "mapped pages were given up");
		expect_zeroes(&a, GPA + offset, n);

		/* A few pages of slot 0 may be mapped anew meanwhile. */
		TEST_ASSERT_ORACLE(ORACLE_STATS,
				   before < 0 || after <= before - (int64_t)n + 32,
				   "%zu pages were given up, but KVM had %ld pages mapped before and has %ld now",
				   n, before, after);
		if (!round && before < 0)
			pr_info("oracle off: KVM has no statistics of mapped pages");
		patterned_mem_refill(&mem, PATTERN(round + 2));
	}
	arena_check_neighbours(&a, "memory given up");
	arena_free(&a);
}

/*
 * The TLB alone: the vCPU has just used the page and uses it again at once.
 * The memory is not the host's any more in between, so nothing can be the same.
 */
KVM_TEST(given_up_page_is_in_no_tlb)
{
	struct patterned_mem mem;
	unsigned int round;
	struct probe *p;
	struct arena a;

	/* One vCPU: on two host CPUs it never has to make room for another. */
	arena_create(&a, 1, NPAGES);
	p = &a.probes[0];
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
	arena_add(&a, &mem, GPA, SLOT, 0);
	breadcrumb("give pages up one by one");
	for (round = 0; round < test_tries(200); round++) {
		size_t page = round % NPAGES;
		gpa_t gpa = GPA + page * PAGE_SIZE;

		expect_ram_write(p, gpa, pattern_word(PATTERN(round + 2), page, 0));
		give_up(&mem.mem, page * PAGE_SIZE, PAGE_SIZE);
		test_step("round %u: read page %zu, which was given up", round, page);
		probe_expect_ram(p, gpa, 0);
	}
	arena_free(&a);
}

/* ---- memory that is replaced ---- */

/* Two files, and the slot's range of addresses that shows one of them. */
struct window {
	struct arena a;
	struct patterned_mem file[2];
	struct backing_mem hva;
};

static void window_show(struct window *w, int which)
{
	TEST_ERROR_ON(mmap(w->hva.hva, SIZE, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_FIXED, w->file[which].mem.fd, 0) ==
		      MAP_FAILED, "cannot map a file over the slot's memory");
}

static void window_create(struct window *w)
{
	int i;

	arena_create(&w->a, 2, NPAGES);
	for (i = 0; i < 2; i++)
		patterned_mem_alloc(&w->file[i], VM_MEM_SRC_SHMEM, SIZE, GPA,
				    PATTERN(i + 1));
	backing_mem_alloc(&w->hva, VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
}

KVM_TEST(remapped_hva_shows_the_new_memory)
{
	unsigned int round;
	struct window w;

	window_create(&w);
	window_show(&w, 0);
	vm_mem_region_add_backing(w.a.vm, &w.hva, w.hva.hva, GPA, SLOT, NPAGES, 0);
	arena_expect_mem(&w.a, GPA, &w.file[0], 0, NPAGES);
	for (round = 1; round <= test_tries(7); round++) {
		struct patterned_mem *old = &w.file[!(round & 1)];
		struct patterned_mem *new = &w.file[round & 1];

		arena_write(&w.a, GPA, old, 0, NPAGES);
		breadcrumb("round %u: map another file over the slot's memory", round);
		window_show(&w, round & 1);
		arena_write(&w.a, GPA, new, 0, NPAGES);
		arena_expect_mem(&w.a, GPA, new, 0, NPAGES);
		patterned_mem_check(old, "not the slot's memory any more");
	}
	arena_check_neighbours(&w.a, "memory replaced");
	arena_free(&w.a);
}

KVM_TEST(remapped_while_vcpus_use_it)
{
	unsigned int round;
	struct window w;

	window_create(&w);
	window_show(&w, 0);
	vm_mem_region_add_backing(w.a.vm, &w.hva, w.hva.hva, GPA, SLOT, NPAGES, 0);
	arena_update_begin(&w.a);
	arena_hammer_start(&w.a, GPA, NPAGES, everything);
	arena_world_mem(&w.a, GPA, &w.file[0], 0, NPAGES, PAGE_IS_RAM);
	arena_update_end(&w.a);
	for (round = 1; round <= test_tries(19); round++) {
		struct patterned_mem *old = &w.file[!(round & 1)];
		struct patterned_mem *new = &w.file[round & 1];

		breadcrumb("round %u: replace memory under use", round);
		arena_update_begin(&w.a);
		window_show(&w, round & 1);
		arena_world_mem(&w.a, GPA, new, 0, NPAGES, PAGE_IS_RAM);
		arena_update_end(&w.a);
		patterned_mem_refill(old, PATTERN(round + 3));
		arena_hammer_wait(&w.a);
		patterned_mem_check(old, "not the slot's memory since round %u", round);
	}
	arena_hammer_stop(&w.a);
	arena_free(&w.a);
}

/* ---- memory that the host may not use so ---- */

KVM_TEST(unmapped_hva_is_efault_until_it_is_mapped)
{
	unsigned int round, i;
	struct window w;

	window_create(&w);
	window_show(&w, 0);
	vm_mem_region_add_backing(w.a.vm, &w.hva, w.hva.hva, GPA, SLOT, NPAGES, 0);
	for (round = 0; round < test_tries(3); round++) {
		struct patterned_mem *m = &w.file[!(round & 1)];
		uint64_t word = patterned_mem_word0(m, 2);

		breadcrumb("round %u: unmap the slot's memory", round);
		TEST_ERROR_ON(munmap(w.hva.hva, SIZE), "munmap");
		expect_efault(&w.a.probes[0], GPA + 2 * PAGE_SIZE,
			      probe_read(&w.a.probes[0], GPA + 2 * PAGE_SIZE, 8));
		expect_efault(&w.a.probes[1], GPA + 3 * PAGE_SIZE,
			      probe_write(&w.a.probes[1], GPA + 3 * PAGE_SIZE + 0xe00, 8,
					  round + 1));
		for (i = 0; i < 2; i++)
			expect_efault(&w.a.probes[i], GPA, probe_retry(&w.a.probes[i]));
		window_show(&w, !(round & 1));
		expect_retry(&w.a.probes[0], GPA + 2 * PAGE_SIZE, &word);
		expect_retry(&w.a.probes[1], GPA + 3 * PAGE_SIZE, NULL);
		patterned_mem_wrote(m, 3 * PAGE_SIZE + 0xe00, 8, round + 1);
		arena_expect_mem(&w.a, GPA, m, 0, NPAGES);
		patterned_mem_check(m, "unmapped and mapped again");
	}
	arena_free(&w.a);
}

KVM_TEST(write_to_protected_hva_is_efault)
{
	struct patterned_mem mem;
	struct arena a;
	unsigned int i;

	arena_create(&a, 2, NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (i = 0; i < 4; i++) {
		struct probe *p = &a.probes[i & 1];
		gpa_t at = GPA + i * PAGE_SIZE + 0xe00;

		arena_write(&a, GPA, &mem, 0, NPAGES);
		breadcrumb("round %u: mprotect(PROT_READ)", i);
		TEST_ERROR_ON(mprotect(mem.mem.hva, SIZE, PROT_READ), "mprotect");
		expect_efault(p, at, probe_write(p, at, 8, i + 1));
		patterned_mem_check(&mem, "read-only for the host");
		/* The other one can still read everything. */
		probe_check_pages(&a.probes[!(i & 1)], GPA, &mem, 0, NPAGES);
		expect_efault(p, at, probe_retry(p));
		TEST_ERROR_ON(mprotect(mem.mem.hva, SIZE, PROT_READ | PROT_WRITE),
			      "mprotect");
		expect_retry(p, at, NULL);
		patterned_mem_wrote(&mem, i * PAGE_SIZE + 0xe00, 8, i + 1);
		patterned_mem_check(&mem, "writable again");

		breadcrumb("round %u: mprotect(PROT_NONE)", i);
		TEST_ERROR_ON(mprotect(mem.mem.hva, SIZE, PROT_NONE), "mprotect");
		expect_efault(p, GPA, probe_read(p, GPA, 8));
		TEST_ERROR_ON(mprotect(mem.mem.hva, SIZE, PROT_READ | PROT_WRITE),
			      "mprotect");
		expect_retry(p, GPA, mem.want);
		arena_expect_mem(&a, GPA, &mem, 0, NPAGES);
	}
	arena_check_neighbours(&a, "memory protected");
	arena_free(&a);
}

/* ---- pages that are somebody else's as well ---- */

/* A guest that only reads gets the host's zero page; it must not write there. */
KVM_TEST(zero_page_is_not_written_to)
{
	struct backing_mem mem, other;
	unsigned int i, page;
	struct arena a;

	arena_create(&a, 2, NPAGES);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
	backing_mem_alloc(&other, VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
	vm_mem_region_add_backing(a.vm, &mem, mem.hva, GPA, SLOT, NPAGES, 0);
	expect_zeroes(&a, GPA, NPAGES);
	for (i = 0; i < 2; i++) {
		breadcrumb("vCPU %u writes where it has read the zero page", i);
		for (page = i; page < NPAGES; page += 2) {
			expect_ram_write(&a.probes[i], GPA + page * PAGE_SIZE + 0x10,
					 0xbad0000 + page);
			TEST_ASSERT(!((volatile uint64_t *)other.hva)[page * 512 + 2],
				    "the guest's write to page %u at gpa 0x%lx went to the host's zero page",
				    page, GPA + page * PAGE_SIZE);
		}
	}
	expect_zeroes(&a, GPA, NPAGES);
	for (page = 0; page < NPAGES; page++)
		TEST_ASSERT_EQ(((volatile uint64_t *)mem.hva)[page * 512 + 2],
			       0xbad0000UL + page);
	arena_free(&a);
}

KVM_TEST(private_mapping_is_not_written_through)
{
	static const enum vm_mem_backing_src_type types[] = {
		VM_MEM_SRC_SHMEM, VM_MEM_SRC_FILE,
	};
	struct patterned_mem file, copy;
	struct arena a;
	size_t i;

	arena_create(&a, 2, NPAGES);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		patterned_mem_alloc(&file, types[i], SIZE, GPA, PATTERN(1));
		patterned_mem_alloc(&copy, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
		TEST_ERROR_ON(mmap(copy.mem.hva, SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_FIXED, file.mem.fd, 0) ==
			      MAP_FAILED, "cannot map the file privately");
		arena_add(&a, &copy, GPA, SLOT, 0);
		/* Reading maps the file's own pages; writing must copy them. */
		arena_expect_mem(&a, GPA, &copy, 0, NPAGES);
		breadcrumb("write to a private mapping of %s",
			   vm_mem_backing_src_name(types[i]));
		arena_write(&a, GPA, &copy, 0, NPAGES);
		arena_expect_mem(&a, GPA, &copy, 0, NPAGES);
		patterned_mem_check(&file, "the guest wrote to a private mapping");
		vm_mem_region_delete(a.vm, SLOT);
		patterned_mem_free(&file);
		patterned_mem_free(&copy);
	}
	arena_free(&a);
}

/* The process's first page of the kernel's own data, which it may only read. */
static void *kernel_page(void)
{
	void *start = NULL;
	char line[256];
	FILE *maps;

	maps = fopen("/proc/self/maps", "r");
	TEST_ERROR_ON(!maps, "/proc/self/maps");
	while (!start && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "[vvar]"))
			start = (void *)strtoul(line, NULL, 16);
	}
	fclose(maps);
	__TEST_REQUIRE(start, "this kernel has no [vvar] in /proc/self/maps");
	return start;
}

/*
 * Memory without page structures of its own, as that of a device: KVM looks into the
 * host's page tables, and must look whether it may write. The end of that page is
 * not used, and gets what it holds.
 */
KVM_TEST(mapped_device_memory_is_not_written)
{
	const size_t offset = PAGE_SIZE - 8;
	struct backing_mem dev = { .type = VM_MEM_SRC_ANONYMOUS, .size = PAGE_SIZE, .fd = -1 };
	struct probe_result r;
	struct patterned_mem mem;
	const uint64_t *word;
	struct probe *p;
	struct arena a;
	unsigned int i;

	dev.hva = kernel_page();
	word = (const void *)((const char *)dev.hva + offset);
	arena_create(&a, 2, NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
	for (i = 0; i < 4; i++) {
		p = &a.probes[i & 1];
		vm_mem_region_add_backing(a.vm, &dev, dev.hva, GPA, SLOT, 1, 0);
		/* Read before written to, or not. */
		if (i < 2) {
			r = probe_read(p, GPA + offset, 8);
			if (r.outcome == PROBE_EFAULT)
				test_skip("this KVM does not map the kernel's pages");
			if (r.outcome != PROBE_RAM || r.value != *word)
				probe_unexpected(p, GPA + offset, &r, "the host's page");
		}
		breadcrumb("round %u: write to a page that the host may only read", i);
		r = probe_write(p, GPA + offset, 8, *word);
		vm_mem_region_delete(a.vm, SLOT);
		/* As to a read-only slot, or not at all. */
		if (r.outcome != PROBE_MMIO)
			expect_efault(p, GPA + offset, r);
		arena_add(&a, &mem, GPA, SLOT, 0);
		if (r.outcome == PROBE_EFAULT) {
			patterned_mem_wrote(&mem, offset, 8, *word);
			expect_retry(p, GPA + offset, NULL);
		}
		arena_expect_mem(&a, GPA, &mem, 0, NPAGES);
		vm_mem_region_delete(a.vm, SLOT);
	}
	arena_free(&a);
}

/* A child has what its parent's memory held at the time of the fork. */
KVM_TEST(forked_child_keeps_what_it_had)
{
	struct patterned_mem mem;
	unsigned int round;
	int go[2], status;
	struct arena a;
	pid_t pid;

	arena_create(&a, 2, NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (round = 0; round < test_tries(4); round++) {
		char c;

		arena_write(&a, GPA, &mem, 0, NPAGES);
		TEST_ERROR_ON(pipe(go), "pipe");
		breadcrumb("round %u: fork", round);
		pid = fork();
		TEST_ERROR_ON(pid < 0, "fork");
		if (!pid) {
			/* Only this thread is left; no VM, no library. */
			if (read(go[0], &c, 1) != 1)
				_exit(2);
			_exit(memcmp(mem.mem.hva, mem.want, SIZE) ? 1 : 0);
		}
		arena_write(&a, GPA, &mem, 0, NPAGES);
		TEST_ERROR_ON(write(go[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid,
			      "cannot wait for the child");
		TEST_ERROR_ON(!WIFEXITED(status) || WEXITSTATUS(status) > 1,
			      "the child ended with status 0x%x", status);
		TEST_ASSERT(!WEXITSTATUS(status),
			    "round %u: what the guest wrote after the fork is in the child's memory",
			    round);
		close(go[0]);
		close(go[1]);
	}
	arena_free(&a);
}

/* ---- one memory, several slots ---- */

KVM_TEST(one_hva_in_two_slots)
{
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, 2 * NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (round = 0; round < test_tries(4); round++) {
		breadcrumb("round %u: the same memory in another slot", round);
		arena_add(&a, &mem, GPA + SIZE, SLOT + 1, 0);
		arena_write(&a, GPA, &mem, 0, NPAGES);
		arena_expect_mem(&a, GPA + SIZE, &mem, 0, NPAGES);
		arena_write(&a, GPA + SIZE, &mem, 0, NPAGES);
		arena_expect_mem(&a, GPA, &mem, 0, NPAGES);

		give_up(&mem.mem, 0, SIZE);
		expect_zeroes(&a, GPA, NPAGES);
		expect_zeroes(&a, GPA + SIZE, NPAGES);
		patterned_mem_refill(&mem, PATTERN(round + 2));

		/* One goes, and the other stays. */
		vm_mem_region_delete(a.vm, SLOT + (round & 1));
		arena_write(&a, GPA + (round & 1 ? 0 : SIZE), &mem, 0, NPAGES);
		arena_expect_gap(&a, GPA + (round & 1 ? SIZE : 0), NPAGES);
		if (!(round & 1)) {
			vm_mem_region_delete(a.vm, SLOT + 1);
			arena_add(&a, &mem, GPA, SLOT, 0);
		}
	}
	arena_check_neighbours(&a, "one memory in two slots");
	arena_free(&a);
}

/*
 * One invalidation, several slots: what there is to flush may be in any one of them,
 * and nothing in those after it.
 */
KVM_TEST(invalidation_of_slots_of_which_one_is_used)
{
	enum { NR_SLOTS = 4 };
	unsigned int used, order, i;
	struct patterned_mem mem;
	int64_t flushes;
	struct arena a;

	arena_create(&a, 1, NR_SLOTS * NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, NR_SLOTS * SIZE, GPA, PATTERN(1));
	for (order = 0; order < 2; order++) {
		for (i = 0; i < NR_SLOTS; i++) {
			/* The hvas go up or down as the gpas do. */
			unsigned int at = order ? NR_SLOTS - 1 - i : i;

			arena_add_part(&a, &mem, i * NPAGES, NPAGES, GPA + at * SIZE,
				       SLOT + i, 0);
		}
		for (used = 0; used < NR_SLOTS; used++) {
			gpa_t gpa = GPA + (order ? NR_SLOTS - 1 - used : used) * SIZE;

			breadcrumb("invalidate %u slots, of which slot %u is used", NR_SLOTS,
				   SLOT + used);
			probe_write_mem(&a.probes[0], gpa, &mem, used * NPAGES, NPAGES);
			flushes = vm_tlb_flush_requests(a.vm);
			give_up(&mem.mem, 0, NR_SLOTS * SIZE);
			vm_expect_tlb_flush(a.vm, flushes, "pages that one slot had mapped were given up");
			for (i = 0; i < NPAGES; i++)
				probe_expect_ram(&a.probes[0], gpa + i * PAGE_SIZE, 0);
			give_up(&mem.mem, 0, NR_SLOTS * SIZE);
		}
		for (i = 0; i < NR_SLOTS; i++)
			vm_mem_region_delete(a.vm, SLOT + i);
	}
	arena_free(&a);
}

KVM_TEST(hva_of_a_deleted_slot_serves_another)
{
	struct patterned_mem mem;
	struct arena a;
	unsigned int i;

	arena_create(&a, 2, 4 * NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(1));
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (i = 1; i < 9; i++) {
		gpa_t old = GPA + ((i - 1) % 4) * SIZE, new = GPA + (i % 4) * SIZE;

		arena_write(&a, old, &mem, 0, NPAGES);
		breadcrumb("round %u: other slot, other gpa, same memory", i);
		vm_mem_region_delete(a.vm, SLOT + i - 1);
		arena_add(&a, &mem, new, SLOT + i, 0);
		arena_write(&a, new, &mem, 0, NPAGES);
		arena_expect_mem(&a, new, &mem, 0, NPAGES);
		arena_expect_gap(&a, old, NPAGES);
		/* The invalidation must find the slot that has the memory now. */
		give_up(&mem.mem, 0, SIZE);
		expect_zeroes(&a, new, NPAGES);
		patterned_mem_refill(&mem, PATTERN(i + 1));
	}
	arena_check_neighbours(&a, "one memory in %u slots, one after the other", i);
	arena_free(&a);
}

/* ---- invalidations against memslot updates ---- */

struct churn {
	pthread_t thread;
	void *hva;
	_Atomic bool stop;
	_Atomic unsigned long loops;
};

/* The memory is shared, so its contents stay; only the mappings go. */
static void *churn_thread(void *arg)
{
	struct churn *c = arg;

	while (!c->stop) {
		TEST_ERROR_ON(madvise(c->hva, SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		c->loops++;
		cpu_relax();
		sched_yield();
	}
	return NULL;
}

KVM_TEST(invalidations_during_slot_updates)
{
	struct patterned_mem mem;
	struct churn churn = {};
	unsigned long loops;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, NPAGES);
	patterned_mem_alloc(&mem, VM_MEM_SRC_SHMEM, SIZE, GPA, PATTERN(1));
	churn.hva = mem.mem.hva;
	arena_hammer_start(&a, GPA, NPAGES, everything);
	TEST_ERROR_ON(pthread_create(&churn.thread, NULL, churn_thread, &churn),
		      "pthread_create");
	for (round = 0; round < test_tries(30); round++) {
		if (round % 10 == 0)
			breadcrumb("round %u: invalidations during slot updates", round);
		loops = churn.loops;
		arena_update_begin(&a);
		arena_add(&a, &mem, GPA, SLOT, 0);
		arena_world_mem(&a, GPA, &mem, 0, NPAGES, PAGE_IS_RAM);
		arena_update_end(&a);
		while (churn.loops < loops + 3)
			cpu_relax();
		if (round % 10 == 9)
			arena_hammer_wait(&a);
		arena_update_begin(&a);
		vm_mem_region_delete(a.vm, SLOT);
		arena_world_gap(&a, GPA, NPAGES);
		arena_update_end(&a);
	}
	churn.stop = true;
	pthread_join(churn.thread, NULL);
	arena_hammer_wait(&a);
	arena_hammer_stop(&a);
	/* What an unbalanced count would leave behind: no fault gets through. */
	arena_add(&a, &mem, GPA, SLOT, 0);
	arena_expect_mem(&a, GPA, &mem, 0, NPAGES);
	arena_check_neighbours(&a, "%lu invalidations", (unsigned long)churn.loops);
	arena_free(&a);
}

KVM_TEST_MAIN()
