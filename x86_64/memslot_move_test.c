// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot that is moved far is at its new gpa, and not at the old one, as soon
 * as the ioctl returns: where vCPUs have just seen a gap, with MMIO SPTEs, there
 * is memory; where they have it mapped, there is none. Pages that the host takes
 * away after that go from the new place, and large pages are possible where the
 * new place allows them.
 *
 * What breaks this: a move that zaps nothing, or forgets the MMIO SPTEs at its
 * destination; one of KVM's two sets of memslots, or one of its trees, that keeps
 * the old gpa; metadata that is the old gpa's.
 *
 * memslot_delete_test has moves over a short distance, where old and new place
 * overlap, and under running vCPUs; large_page_test counts 2M pages after moves.
 */
#include <sys/mman.h>

#include "arena.h"
#include "guest_pages.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_move_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY)), .mem_mb = 64 },
	.fixes = FIXES("12d6e7538e2d KVM: perform an invalid memslot step for gpa base change",
		       "edd4fa37baa6 KVM: x86: Allocate new rmap and large page tracking when moving memslot"));

#define SLOT	1
#define NPAGES	20UL
#define SIZE	(NPAGES * PAGE_SIZE)

/* Stands for the last pages that a guest can address. */
#define TOP	(~0UL)

KVM_FIXTURE(far);
FIXTURE_VARIANT(far) {
	gpa_t gpa;
};

FIXTURE_VARIANT_ADD(far, by_2m) { .gpa = ARENA_GPA + SZ_2M };
FIXTURE_VARIANT_ADD(far, by_1g) { .gpa = ARENA_GPA + SZ_1G };
FIXTURE_VARIANT_ADD(far, to_0) { .gpa = 0 };
FIXTURE_VARIANT_ADD(far, above_4g) { .gpa = SZ_4G + PAGE_SIZE };
FIXTURE_VARIANT_ADD(far, to_the_top) { .gpa = TOP };

struct moved {
	struct arena a;
	struct patterned_mem mem;
	gpa_t places[2];		/* where the slot is in turns */
};

static void moved_create(struct moved *m, gpa_t gpa)
{
	arena_create(&m->a, 2, NPAGES);
	m->places[0] = ARENA_GPA;
	m->places[1] = gpa == TOP ? vm_identity_end(m->a.vm) - SIZE : gpa;
	virt_map(m->a.vm, m->places[1], m->places[1], NPAGES);
	patterned_mem_alloc(&m->mem, VM_MEM_SRC_ANONYMOUS, SIZE, ARENA_GPA,
			    (struct pattern){ 1, SLOT });
	arena_add(&m->a, &m->mem, ARENA_GPA, SLOT, 0);
}

static void moved_free(struct moved *m)
{
	arena_check_neighbours(&m->a, "after the moves");
	arena_free(&m->a);
	patterned_mem_free(&m->mem);
}

static void move_to(struct moved *m, unsigned int place, unsigned int round)
{
	breadcrumb("round %u: move to gpa 0x%lx", round, m->places[place]);
	vm_mem_region_move(m->a.vm, SLOT, m->places[place]);
}

KVM_TEST_F(far, gap_and_memory_change_places)
{
	unsigned int round, to;
	struct moved m;

	moved_create(&m, variant->gpa);
	for (round = 1; round <= test_tries(6); round++) {
		to = round & 1;
		arena_write(&m.a, m.places[!to], &m.mem, 0, NPAGES);
		arena_expect_gap(&m.a, m.places[to], NPAGES);
		move_to(&m, to, round);
		/* Either side first: nobody has looked at it since the move. */
		if (round & 2)
			arena_expect_gap(&m.a, m.places[!to], NPAGES);
		arena_write(&m.a, m.places[to], &m.mem, 0, NPAGES);
		arena_expect_mem(&m.a, m.places[to], &m.mem, 0, NPAGES);
		arena_expect_gap(&m.a, m.places[!to], NPAGES);
		patterned_mem_check(&m.mem, "round %u, the gap at gpa 0x%lx written to",
				    round, m.places[!to]);
	}
	moved_free(&m);
}

/* An odd or an even number of updates ago: KVM has two sets of memslots. */
KVM_TEST_F(far, host_changes_reach_the_new_place)
{
	struct patterned_mem *mem;
	unsigned int round, i, to = 0;
	struct moved m;
	size_t page;

	moved_create(&m, variant->gpa);
	mem = &m.mem;
	for (round = 1; round < 7; round++) {
		to = !to;
		move_to(&m, to, round);
		if (round % 3 == 0)
			vm_mem_region_set_flags(m.a.vm, SLOT, round & 1 ?
						KVM_MEM_LOG_DIRTY_PAGES : 0);
		arena_write(&m.a, m.places[to], mem, 0, NPAGES);
		breadcrumb("round %u: MADV_DONTNEED", round);
		TEST_ERROR_ON(madvise(mem->mem.hva, SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		for (i = 0; i < m.a.nr_probes; i++) {
			for (page = 0; page < NPAGES; page += NPAGES - 1)
				probe_expect_ram(&m.a.probes[i],
						 m.places[to] + page * PAGE_SIZE, 0);
		}
		patterned_mem_refill(mem, (struct pattern){ round + 1, SLOT });
		arena_expect_mem(&m.a, m.places[to], mem, 0, NPAGES);
		arena_expect_gap(&m.a, m.places[!to], NPAGES);
	}
	moved_free(&m);
}

/* ---- 1G pages ---- */

#define AREA_GPA	(5 * SZ_1G)
#define TOUCHED		(8 * SZ_2M / PAGE_SIZE)
#define PREFETCHED	8

static void check_sizes(struct page_vm *p, gpa_t gpa, unsigned int round, const char *when)
{
	page_area_set_round(&p->area, 0, p->area.npages, ROUND_NONE);
	/* Where the TDP MMU is off, KVM maps a few pages more, up to this alignment. */
	page_area_fill(&p->area, (gpa - AREA_GPA) / PAGE_SIZE,
		       TOUCHED - gpa / PAGE_SIZE % PREFETCHED, round);
	page_worker_check_sizes(&p->workers[0], NULL, when);
}

/* Out of the alignment of 1G and of 2M, back into it, with dirty logging, too. */
KVM_TEST(page_sizes_follow_the_alignment, .huge_1g = 1)
{
	static const size_t moves[] = { SZ_2M, SZ_4K, 0, SZ_2M + SZ_4K, 0 };
	struct page_vm p;
	size_t i;

	__TEST_REQUIRE(guest_has_gbpages(),
		       "needs 1G pages in the guest's CPUID (0x80000001 EDX bit 26)");
	page_vm_create(&p, 1, AREA_GPA, SZ_1G + 2 * SZ_2M, PG_LEVEL_2M, PAGE_WORDS);
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, AREA_GPA, SLOT,
				    SZ_1G / PAGE_SIZE, 0);
	check_sizes(&p, AREA_GPA, 1, "before the first move");
	for (i = 0; i < ARRAY_SIZE(moves); i++) {
		breadcrumb("move to offset 0x%lx", moves[i]);
		vm_mem_region_move(p.vm, SLOT, AREA_GPA + moves[i]);
		check_sizes(&p, AREA_GPA + moves[i], i + 2, "after a move");
		if (moves[i])
			page_worker_expect_gap(&p.workers[0], AREA_GPA);
		page_worker_expect_gap(&p.workers[0], AREA_GPA + moves[i] + SZ_1G);
	}
	breadcrumb("move while dirty logging is on");
	vm_mem_region_set_flags(p.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	vm_mem_region_move(p.vm, SLOT, AREA_GPA + SZ_2M);
	check_sizes(&p, AREA_GPA + SZ_2M, 50, "moved with dirty logging on");
	vm_mem_region_set_flags(p.vm, SLOT, 0);
	check_sizes(&p, AREA_GPA + SZ_2M, 51, "dirty logging is off again");
	kvm_vm_free(p.vm);
}

KVM_TEST_MAIN()
