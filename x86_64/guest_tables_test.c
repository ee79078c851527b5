// SPDX-License-Identifier: GPL-2.0-only
/*
 * Uses of page tables that are rare: stores that are no store to one entry, a page
 * that is mapped very often, a large page that begins with a page table or has one
 * inside, and more tables than KVM may shadow. Every access still goes where the
 * tables lead.
 *
 * What breaks this: with shadow paging, a store of which only the first entry is
 * looked at; reverse maps of which only the beginning is walked; a shadow page of
 * a table that is taken for one of a large page; the count of shadow pages.
 */
#include <fcntl.h>
#include <stdatomic.h>

#include "guest_modes.h"
#include "guest_paging.h"
#include "kvm_test_harness.h"
#include "ucall.h"

KVM_TEST_SUITE(guest_tables_test);

#define AD	(PTE_ACCESSED_MASK | PTE_DIRTY_MASK)

/* ---- one store, two entries ---- */

FIXTURE_VARIANT(table) {
	int level;
};
KVM_FIXTURE(table)

FIXTURE_VARIANT_ADD(table, pt) { .level = PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(table, pd) { .level = PG_LEVEL_2M };
FIXTURE_VARIANT_ADD(table, pdpt) { .level = PG_LEVEL_1G };
FIXTURE_VARIANT_ADD(table, pml4) { .level = PG_LEVEL_512G };

static gva_t nth_gva(int level, unsigned int n)
{
	return PAGING_GVA(200, 3, 5, 7) + ((gva_t)n << PG_LEVEL_SHIFT(level));
}

KVM_TEST_F(table, stores_across_two_entries)
{
	const int level = variant->level;
	struct paging_cpu *cpu;
	uint64_t leads_to[4];
	unsigned int i, n;
	struct paging p;
	gpa_t entry;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < 4; i++)
		paging_map(&p, p.root, nth_gva(level, i), PG_LEVEL_4K,
			   pool_data(7 + i) | PTE_RWU, PTE_RWU);
	entry = paging_entry(&p, p.root, nth_gva(level, 0), level);
	for (i = 0; i < 4; i++)
		leads_to[i] = paging_peek(&p, entry + i * 8) & PHYSICAL_PAGE_MASK;
	breadcrumb("store to the halves of two entries of level %d", level);
	for (i = 0; i < 48; i++) {
		n = test_random() % 3;
		paging_try_all(cpu);
		paging_write_across(cpu, entry + n * 8, test_random() % 2 ? PTE_NX_MASK : 0,
				    leads_to[test_random() % 4] |
				    (test_random() % 4 ? PTE_RWU : PTE_RW));
		/* As often as not, so that it is not taken for a page of data. */
		if (i % 2)
			paging_try_all(cpu);
		paging_flush(cpu);
		paging_try_all(cpu);
		paging_run(cpu, "round %u, entries %u and %u", i, n, n + 1);
	}
	paging_free(&p);
}

/* Those of 32-bit paging have 4 bytes, and two of them are where others are one. */
static void write_across_32bit(struct modes *m, gpa_t first, uint32_t second, unsigned int how)
{
	struct modes_step *s;

	switch (how % 4) {
	case 0:
		breadcrumb("8 bytes over two entries, aligned");
		modes_add(m, MODES_WRITE64, first, 0)->high = second;
		break;
	case 1:
		breadcrumb("8 bytes over two entries, the other one is next");
		modes_add(m, MODES_WRITE64, first + 4, second);
		break;
	case 2:
		breadcrumb("4 bytes over two entries");
		modes_add(m, MODES_WRITE, first + 2, second << 16);
		break;
	default:
		breadcrumb("8 bytes over three entries");
		s = modes_add(m, MODES_WRITE64, first + 2, second << 16);
		s->high = second >> 16;
	}
}

KVM_TEST(stores_across_two_32bit_entries)
{
	gpa_t second;
	struct modes m;
	unsigned int i;

	modes_create(&m);
	second = m.root[MODE_32BIT] + (MODES_WINDOW >> 22) * 4;
	/* Only the lower half of the entry is in a store of 4 bytes. */
	TEST_ERROR_ON((m.pt32[0] ^ m.pt32[1]) >> 16, "tables are too far apart");
	TEST_ERROR_ON(second % 8 != 4, "the window's entry is the first of two");
	modes_switch(&m, MODE_32BIT);
	modes_run(&m, "enter 32-bit mode");
	for (i = 0; i < 16; i++) {
		modes_check(&m, "round %u, before", i);
		write_across_32bit(&m, second - 4, m.pt32[(i + 1) % 2] |
				   (i % 3 ? PTE_RW : PTE_PRESENT_MASK), i);
		modes_flush(&m);
		modes_run(&m, "round %u, a store across entries", i);
		modes_check(&m, "round %u, after a store across entries and a flush", i);
	}
	modes_free(&m);
}

/* ---- a page that is mapped very often ---- */

#define NR_MAPPINGS	40	/* KVM keeps lists of 3 or 14 */
#define OFTEN_PAGE	33

static gva_t often_gva(unsigned int i)
{
	/* Eight in each table, and not side by side. */
	return PAGING_GVA(200, 3, 5 + i / 8, 1 + i % 8 * 20);
}

static void map_often(struct paging *p)
{
	unsigned int i;

	paging_create(p, 1);
	for (i = 0; i < NR_MAPPINGS; i++)
		paging_map(p, p->root, often_gva(i), PG_LEVEL_4K,
			   pool_data(OFTEN_PAGE) | PTE_RWU | AD, PTE_RWU);
}

static bool is_dirty(struct paging *p)
{
	unsigned long bitmap[POOL_DATA_PAGES / 64] = {};

	kvm_vm_get_dirty_log(p->vm, POOL_DATA_SLOT, bitmap);
	return bitmap[OFTEN_PAGE / 64] >> OFTEN_PAGE % 64 & 1;
}

KVM_TEST(each_of_many_mappings_is_logged)
{
	struct paging_cpu *cpu;
	unsigned int i, n;
	struct paging p;

	map_often(&p);
	cpu = &p.cpu[0];
	breadcrumb("dirty logging of a page with %u mappings", NR_MAPPINGS);
	vm_mem_region_set_flags(p.vm, POOL_DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 0; i < NR_MAPPINGS; i++)
		paging_access(cpu, PAGING_WRITE, often_gva(i), i & 1);
	paging_run(cpu, "write by all mappings");
	is_dirty(&p);
	for (i = 0; i < NR_MAPPINGS; i++) {
		n = i * 7 % NR_MAPPINGS;
		TEST_ASSERT(!is_dirty(&p), "gpa 0x%lx is in the log twice", pool_data(OFTEN_PAGE));
		paging_access(cpu, PAGING_WRITE, often_gva(n), i & 1);
		paging_run(cpu, "write by mapping %u", n);
		TEST_ASSERT(is_dirty(&p),
			    "written by mapping %u of %u at gva 0x%lx, but gpa 0x%lx is not in the dirty log of slot %u",
			    n, NR_MAPPINGS, often_gva(n), pool_data(OFTEN_PAGE), POOL_DATA_SLOT);
	}
	paging_free(&p);
}

/* A write by any mapping must be seen once the page is a page table. */
KVM_TEST(page_with_many_mappings_becomes_a_table)
{
	const gva_t via = PAGING_GVA(201, 3, 5, 1);
	struct paging_cpu *cpu;
	unsigned int i, n;
	struct paging p;
	gpa_t pde;

	map_often(&p);
	cpu = &p.cpu[0];
	paging_map(&p, p.root, via, PG_LEVEL_4K, 0, PTE_RWU);
	pde = paging_entry(&p, p.root, via, PG_LEVEL_2M);
	breadcrumb("a page with %u mappings becomes a page table", NR_MAPPINGS);
	for (i = 0; i < NR_MAPPINGS; i++)
		paging_access(cpu, PAGING_WRITE, often_gva(i), i & 1);
	paging_try_store(cpu, often_gva(0) + 8, pool_data(50) | PTE_RWU | AD);
	paging_write(cpu, pde, pool_data(OFTEN_PAGE) | PTE_RWU);
	paging_flush(cpu);
	for (i = 0; i < NR_MAPPINGS; i++) {
		n = i * 7 % NR_MAPPINGS;
		paging_try(cpu, PAGING_READ, via, false, false);
		paging_try_store(cpu, often_gva(n) + 8,
				 pool_data(51 + i) | PTE_RWU | AD);
		paging_flush(cpu);
		paging_try(cpu, PAGING_READ, via, true, false);
		paging_run(cpu, "table written by mapping %u", n);
	}
	paging_free(&p);
}

/* More than KVM lets a page have: older ones go, and come back when used. */
KVM_TEST(a_page_mapped_a_thousand_times)
{
	const gva_t first = PAGING_GVA(200, 3, 5, 0);
	struct paging_cpu *cpu;
	int64_t longest = 0;
	unsigned int i, t;
	gpa_t table;
	struct paging p;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (t = 0; t < 3; t++) {
		paging_map(&p, p.root, first + t * SZ_2M, PG_LEVEL_4K,
			   pool_data(OFTEN_PAGE) | PTE_RWU | AD, PTE_RWU);
		table = align_down(paging_entry(&p, p.root, first + t * SZ_2M, PG_LEVEL_4K),
				   PAGE_SIZE);
		/* KVM maps what is near as well, so one in eight is enough. */
		for (i = 1; i < 512; i++) {
			paging_poke(&p, table + i * 8, pool_data(OFTEN_PAGE) | PTE_RWU | AD);
			if (i % 8 == 0)
				paging_watch(&p, first + t * SZ_2M + i * PAGE_SIZE);
		}
	}
	breadcrumb("a page is mapped by %u entries", 3 * 512);
	for (i = 0; i < 2; i++) {
		paging_try_all(cpu);
		paging_run(cpu, "all mappings, %u", i);
		paging_set_data_slot(&p, false);
		paging_try(cpu, PAGING_READ, first, false, false);
		paging_run(cpu, "without the data's slot");
		paging_set_data_slot(&p, true);
	}
	paging_try_all(cpu);
	paging_run(cpu, "all mappings, at the end");
	/* Not all of them at once, and no fewer than KVM means to keep. */
	if (!p.tdp && vm_read_stat(p.vm, "max_mmu_rmap_size", &longest))
		TEST_ASSERT_ORACLE(ORACLE_STATS, longest >= 1000 && longest <= 1004,
				   "gpa 0x%lx is mapped by %u entries, of which KVM keeps 1000: max_mmu_rmap_size is %ld, want 1000 to 1004",
				   pool_data(OFTEN_PAGE), 3 * 512, longest);
	paging_free(&p);
}

/* ---- a directory that is written to ---- */

/* An entry that leads nowhere, and is never used. */
#define UNUSED(i)	((100 + (i)) * 8)

static void expect_few(struct paging *p, const char *stat, int64_t before, int64_t most,
		       const char *what, unsigned int stores)
{
	int64_t now;

	if (before >= 0 && vm_read_stat(p->vm, stat, &now))
		TEST_ASSERT_ORACLE(ORACLE_STATS, now - before <= most,
				   "%u stores to %s: %s has gone up by %ld, want no more than %ld",
				   stores, what, stat, now - before, most);
}

static int64_t stat_or_none(struct paging *p, const char *stat)
{
	int64_t value;

	return vm_read_stat(p->vm, stat, &value) ? value : -1;
}

/*
 * A directory whose entries are used between the stores to it stays shadowed; a page that
 * was one, and is written without such a use, is let go before many stores are emulated.
 */
KVM_TEST(stores_to_a_directory_used_and_unused)
{
	const gva_t gva = PAGING_GVA(200, 3, 5, 1);
	const unsigned int nr_stores = 60;
	struct paging_cpu *cpu;
	gpa_t pde, pdpte;
	struct paging p;
	int64_t before;
	unsigned int i;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	paging_map(&p, p.root, gva, PG_LEVEL_4K, pool_data(7) | PTE_RWU | AD, PTE_RWU);
	pde = paging_entry(&p, p.root, gva, PG_LEVEL_2M);
	pdpte = paging_entry(&p, p.root, gva, PG_LEVEL_1G);
	paging_access(cpu, PAGING_WRITE, gva, false);
	paging_run(cpu, "first use");

	breadcrumb("stores to a directory that is in use");
	before = stat_or_none(&p, "mmu_flooded");
	for (i = 0; i < nr_stores; i++) {
		paging_write(cpu, pde, paging_model(&p, pde));
		paging_access(cpu, PAGING_READ, gva, false);
	}
	paging_run(cpu, "stores to a directory, each followed by a use");
	expect_few(&p, "mmu_flooded", before, 2, "a directory, each followed by a use of it",
		   nr_stores);

	breadcrumb("stores to a page that was a directory");
	paging_write(cpu, pdpte, 0);
	paging_flush(cpu);
	before = stat_or_none(&p, "mmu_pte_write");
	for (i = 0; i < nr_stores; i++)
		paging_write(cpu, align_down(pde, PAGE_SIZE) + UNUSED(i), i << PAGE_SHIFT);
	paging_run(cpu, "stores to a page that was a directory");
	expect_few(&p, "mmu_pte_write", before, 8, "a page that was a directory", nr_stores);
	paging_free(&p);
}

/* ---- many shadow pages ---- */

#define SPREAD_GPA	(6 * SZ_1G)
#define SPREAD_GVA	PAGING_GVA(212, 0, 0, 0)
#define SPREAD_SLOT	1
#define NR_SPREAD	512
#define MOST_COLLISIONS	16

static void guest_spread(void)
{
	unsigned int i;

	for (i = 0; i < NR_SPREAD; i++)
		guest_write64(SPREAD_GVA + i * SZ_2M, i);
	GUEST_DONE();
}

/* They are looked up by gfn; those of large pages have gfns that are all alike. */
KVM_TEST(shadow_pages_are_found_at_once)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int64_t collisions;

	vm = vm_create_with_one_vcpu(&vcpu, guest_spread);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_SHMEM, SPREAD_GPA, SPREAD_SLOT,
				    NR_SPREAD * SZ_2M / PAGE_SIZE, 0);
	virt_map_level(vm, SPREAD_GVA, SPREAD_GPA, NR_SPREAD * SZ_2M, PG_LEVEL_2M);
	breadcrumb("small pages in %u large ones", NR_SPREAD);
	vcpu_expect_done(vcpu);
	if (vm_read_stat(vm, "max_mmu_page_hash_collisions", &collisions))
		TEST_ASSERT_ORACLE(ORACLE_STATS, collisions <= MOST_COLLISIONS,
				   "%u large pages of the guest are mapped by small ones: of their shadow pages, KVM had to look at %ld that were others, want no more than %u",
				   NR_SPREAD, collisions, MOST_COLLISIONS);
	kvm_vm_free(vm);
}

/* ---- a table inside a page of 1G ---- */

#define BIG_GPA		(5 * SZ_1G)
#define BIG_SLOT	1
#define BIG_GVA		PAGING_GVA(210, 1, 0, 0)
#define BIG_LOAD	PAGING_GVA(211, 1, 1, 1)
#define BIG_TABLE	(37 * SZ_2M + 17 * PAGE_SIZE)

static struct {
	gva_t touch, store, load;
	uint64_t entry, got;
} big;

static void guest_edit_in_1g(void)
{
	for (;;) {
		/* First anywhere else in the page of 1G, then in the table. */
		guest_write64(big.touch, 1);
		guest_write64(big.store, big.entry);
		write_cr3(read_cr3());
		big.got = guest_read64(big.load);
		GUEST_SYNC(0);
	}
}

/* The level of the entries. */
FIXTURE_VARIANT(table_in_1g) {
	int level;
};
KVM_FIXTURE(table_in_1g)
FIXTURE_VARIANT_ADD(table_in_1g, pt) { .level = PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(table_in_1g, pd) { .level = PG_LEVEL_2M };

/*
 * Shadow paging maps no large page of any size around a table, so that the table cannot
 * be written unseen; what was mapped before is write-protected as a whole.
 */
KVM_TEST_F(table_in_1g, is_written_through_the_large_page, .huge_1g = 1)
{
	const int level = variant->level;
	const uint64_t flags = PTE_RW | AD | (level == PG_LEVEL_2M ? PTE_LARGE_MASK : 0);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i;
	gpa_t leads_to;

	__TEST_REQUIRE(guest_has_gbpages(), "needs 1G pages in the guest's CPUID");
	vm = vm_create_with_one_vcpu(&vcpu, guest_edit_in_1g);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, BIG_GPA, BIG_SLOT,
				    SZ_1G / PAGE_SIZE, 0);
	__virt_pg_map(vm, BIG_GVA, BIG_GPA, PG_LEVEL_1G);
	virt_pg_map(vm, BIG_LOAD, BIG_GPA);
	*(uint64_t *)addr_gpa2hva(vm, vm_entry_gpa(vm, BIG_LOAD, level + 1)) =
		(BIG_GPA + BIG_TABLE) | PTE_RW | PTE_ACCESSED_MASK;
	big.store = BIG_GVA + vm_entry_gpa(vm, BIG_LOAD, level) - BIG_GPA;
	for (i = 0; i < 8; i++) {
		leads_to = BIG_GPA + (100 + i) * PG_LEVEL_SIZE(level);
		big.load = align_down(BIG_LOAD, PG_LEVEL_SIZE(level)) + 8;
		*(uint64_t *)addr_gpa2hva(vm, leads_to + 8) = 0x1000 + i;
		big.touch = BIG_GVA + SZ_1G - (1 + i) * SZ_2M;
		big.entry = leads_to | flags;
		sync_global_to_guest(vm, big);
		breadcrumb("write an entry of level %d inside a page of 1G, %u", level, i);
		vcpu_run(vcpu);
		if (get_ucall(vcpu, NULL) != UCALL_SYNC)
			vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
		sync_global_from_guest(vm, big);
		TEST_ASSERT(big.got == 0x1000 + i,
			    "the guest reads 0x%lx at gva 0x%lx; it has just written entry 0x%lx of level %d, which leads to gpa 0x%lx with 0x%x, and flushed",
			    big.got, big.load, big.entry, level, leads_to, 0x1000 + i);
	}
	kvm_vm_free(vm);
}

/* ---- a large page that begins with a page table ---- */

KVM_TEST(large_page_begins_with_a_table)
{
	const gva_t large = PAGING_GVA(201, 3, 6, 0), small = PAGING_GVA(200, 3, 5, 1);
	struct paging_cpu *cpu;
	unsigned int i, round;
	struct paging p;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	paging_map(&p, p.root, small, PG_LEVEL_4K, 0, PTE_RWU);
	for (i = 1; i < 8; i++)
		paging_watch(&p, small + i * PAGE_SIZE);
	/* Page 0 of the pool is the table, and its code and number are in the way. */
	for (i = 0; i < 512; i++)
		paging_poke(&p, pool_data(0) + i * 8, i >= 1 && i < 9 ?
			    pool_data(i) | PTE_RWU | AD : 0);
	paging_poke(&p, paging_entry(&p, p.root, small, PG_LEVEL_2M), pool_data(0) | PTE_RWU);
	paging_map(&p, p.root, large, PG_LEVEL_2M, POOL_GPA | PTE_RWU | PTE_LARGE_MASK | AD,
		   PTE_RWU);
	for (i = 1; i < 8; i++)
		paging_watch(&p, large + i * PAGE_SIZE);
	breadcrumb("a 2M page and a page table have the same gfn");
	for (round = 0; round < 32; round++) {
		for (i = 0; i < p.nr_watched; i++) {
			if (p.watched[i] != large)
				paging_try_any(cpu, p.watched[i]);
		}
		paging_try_store(cpu, large + (1 + test_random() % 8) * 8,
				 pool_data(1 + test_random() % 200) |
				 (test_random() % 4 ? PTE_RWU | AD : 0));
		if (round % 2)
			paging_flush(cpu);
		else
			for (i = 0; i < p.nr_watched; i++)
				paging_invlpg(cpu, p.watched[i]);
		paging_run(cpu, "round %u", round);
	}
	paging_free(&p);
}

/* ---- fewer shadow pages than tables ---- */

#define FEW_PAGES	64	/* the fewest that KVM takes */
#define NR_TREES	3

static void set_nr_mmu_pages(struct paging *p, unsigned long nr)
{
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !__vm_ioctl(p->vm, KVM_SET_NR_MMU_PAGES, nr),
			   "KVM_SET_NR_MMU_PAGES(%lu): errno %d (%s)", nr, errno,
			   strerror(errno));
}

/* Each mode of the CPU has shadow pages of its own. */
static void use_all_tables(struct paging *p, gpa_t roots[NR_TREES], unsigned int round)
{
	struct paging_cpu *cpu = &p->cpu[0];
	unsigned int i, wp;

	for (wp = 0; wp < 2; wp++) {
		paging_set_wp(cpu, wp);
		for (i = 0; i < NR_TREES; i++) {
			paging_set_cr3(cpu, roots[i]);
			paging_try_all(cpu);
			paging_run(cpu, "round %u, WP %u, root %u", round, wp, i);
		}
	}
}

static void create_trees(struct paging *p, gpa_t roots[NR_TREES])
{
	unsigned int i, j;

	paging_create(p, 1);
	for (i = 0; i < NR_TREES; i++) {
		roots[i] = i ? paging_new_root(p) : p->root;
		for (j = 0; j < 12; j++)
			paging_map(p, roots[i], PAGING_GVA(200, 3, 5 + 20 * i + j, 1),
				   PG_LEVEL_4K, pool_data(40 * i + j) | PTE_RWU, PTE_RWU);
	}
}

KVM_TEST(more_tables_than_shadow_pages)
{
	int64_t before = 0, after = 0;
	gpa_t roots[NR_TREES];
	struct paging p;
	unsigned int i;

	create_trees(&p, roots);
	use_all_tables(&p, roots, 0);
	breadcrumb("no more than %u shadow pages", FEW_PAGES);
	set_nr_mmu_pages(&p, FEW_PAGES);
	vm_read_stat(p.vm, "mmu_recycled", &before);
	for (i = 1; i < 8; i++)
		use_all_tables(&p, roots, i);
	if (!p.tdp && vm_read_stat(p.vm, "mmu_recycled", &after))
		TEST_ASSERT_ORACLE(ORACLE_STATS, after > before,
				   "KVM may have %u shadow pages and needs more, but mmu_recycled has not moved from %ld",
				   FEW_PAGES, before);
	breadcrumb("many shadow pages again");
	set_nr_mmu_pages(&p, 4096);
	use_all_tables(&p, roots, 8);
	paging_free(&p);
}

/* ---- the host needs its memory ---- */

/* The host gets round to pages of this kind at every few tries. */
#define MAX_SQUEEZES	32

struct squeeze {
	pthread_t thread;
	_Atomic bool stop;
	_Atomic unsigned int tries;
};

/* Slab caches only, to which shadow pages belong. */
static void *squeeze_host(void *arg)
{
	struct squeeze *squeeze = arg;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	TEST_ERROR_ON(fd < 0, "cannot open drop_caches");
	for (; !squeeze->stop && squeeze->tries < MAX_SQUEEZES; squeeze->tries++)
		TEST_ERROR_ON(pwrite(fd, "2", 1, 0) != 1, "cannot drop caches");
	close(fd);
	return NULL;
}

static bool has_moved(struct paging *p, const char *stat, int64_t before)
{
	int64_t now;

	return vm_read_stat(p->vm, stat, &now) && now != before;
}

KVM_TEST(the_host_takes_shadow_pages_back, .privileged = true)
{
	/* Linux 6.13 keeps what it has; with TDP there are too few for the host to ask. */
	const bool gives = !kvm_is_tdp_enabled() && !kernel_at_least(6, 13);
	struct squeeze squeeze = {};
	gpa_t roots[NR_TREES];
	int64_t before = 0;
	struct paging p;
	unsigned int i;

	create_trees(&p, roots);
	set_nr_mmu_pages(&p, 4096);
	use_all_tables(&p, roots, 0);
	vm_read_stat(p.vm, "mmu_recycled", &before);
	breadcrumb("the host takes memory back all the time");
	errno = pthread_create(&squeeze.thread, NULL, squeeze_host, &squeeze);
	TEST_ERROR_ON(errno, "cannot start a thread");
	for (i = 1; squeeze.tries < 4 || (squeeze.tries < MAX_SQUEEZES && gives &&
					  !has_moved(&p, "mmu_recycled", before)); i++)
		use_all_tables(&p, roots, i);
	squeeze.stop = true;
	pthread_join(squeeze.thread, NULL);
	use_all_tables(&p, roots, i);
	TEST_ASSERT_ORACLE(ORACLE_STATS, !gives || has_moved(&p, "mmu_recycled", before),
			   "the host has asked for memory %u times, but mmu_recycled has not moved from %ld: KVM gives no shadow page back",
			   squeeze.tries, before);
	paging_free(&p);
}

KVM_TEST_MAIN()
