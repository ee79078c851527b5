// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dirty rings: each page that a vCPU writes is in its ring, once until the entry
 * was harvested and reset, and then again at the next write. A full ring makes
 * KVM_RUN come back, and nothing is lost. User space, which shares the ring,
 * can confuse itself, and not the host.
 *
 * What breaks it: a reset that protects the wrong pages (it works in batches of
 * up to 64 neighbours) or forgets to flush, indices that wrap, a soft limit that
 * leaves no room, an entry that is believed after user space wrote to it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dirty_ring.h"
#include "kvm_test_harness.h"
#include "processor.h"
#include "smm.h"

#define RING_NEEDS	.caps = NEED_CAPS(NEED_CAP(KVM_CAP_DIRTY_LOG_RING))

KVM_TEST_SUITE(dirty_ring_test, .needs = { RING_NEEDS, .timeout = 10 });

#define DATA_SLOT	3
#define DATA_GPA	(4 * SZ_1G)
#define NR_PAGES	1024U
#define RING_SIZE	DIRTY_RING_MIN

/* ---- guest ---- */

static struct ring_job {
	uint64_t first, n, stride, value;
	uint64_t stop, rounds;
} jobs[2];

static void guest_writes(uint64_t id)
{
	volatile struct ring_job *job = &jobs[id];
	uint64_t i;

	for (;;) {
		for (i = 0; i < job->n; i++)
			guest_write64(DATA_GPA + (job->first + i * job->stride) %
				      NR_PAGES * PAGE_SIZE, job->value + i);
		GUEST_SYNC(id);
	}
}

/* Writes all over, so that the host's copy is right only with every entry. */
static void guest_writes_all_the_time(uint64_t id)
{
	volatile struct ring_job *job = &jobs[id];
	uint64_t x = 0x9e3779b97f4a7c15UL * (id + 1);

	while (!job->stop) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		guest_write64(DATA_GPA + x % NR_PAGES * PAGE_SIZE + id * 8, x);
		job->rounds++;
	}
	GUEST_SYNC(id);
}

/* ---- host ---- */

struct ring_vm {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[2];
	struct dirty_ring rings[2];
	unsigned int nr_vcpus;
	unsigned int nr_slots;		/* of one size, one behind the other */
	uint32_t popped;		/* since the last reset */
};

static void ring_vm_create(struct ring_vm *r, unsigned int nr_vcpus, uint32_t size,
			   enum vm_mem_backing_src_type src, void *guest_code)
{
	unsigned int i;

	*r = (struct ring_vm){
		.vm = vm_create(nr_vcpus), .nr_vcpus = nr_vcpus, .nr_slots = 1,
	};
	dirty_ring_enable(r->vm, size);
	for (i = 0; i < nr_vcpus; i++) {
		r->vcpus[i] = vm_vcpu_add(r->vm, i, guest_code);
		vcpu_args_set(r->vcpus[i], 1, (uint64_t)i);
		dirty_ring_map(&r->rings[i], r->vcpus[i], size);
	}
	vm_userspace_mem_region_add(r->vm, src, DATA_GPA, DATA_SLOT, NR_PAGES, 0);
	virt_map(r->vm, DATA_GPA, DATA_GPA, NR_PAGES);
}

static void ring_vm_free(struct ring_vm *r)
{
	unsigned int i;

	for (i = 0; i < r->nr_vcpus; i++)
		munmap((void *)r->rings[i].gfns,
		       r->rings[i].size * sizeof(*r->rings[i].gfns));
	kvm_vm_free(r->vm);
}

static void set_job(struct ring_vm *r, unsigned int id, uint64_t first, uint64_t n,
		    uint64_t stride)
{
	struct ring_job job = {
		.first = first, .n = n, .stride = stride, .value = test_random(),
	};

	write_guest_global(r->vm, jobs[id], job);
}

static void guest_write_pages(struct ring_vm *r, unsigned int id, uint64_t first,
			      uint64_t n, uint64_t stride)
{
	set_job(r, id, first, n, stride);
	vcpu_expect_sync(r->vcpus[id], id);
}

static bool pop_page(struct ring_vm *r, unsigned int id, uint64_t *page)
{
	const unsigned int slot_pages = NR_PAGES / r->nr_slots;
	uint32_t slot;

	if (!dirty_ring_pop(&r->rings[id], &slot, page))
		return false;
	r->popped++;
	TEST_ASSERT(slot >= DATA_SLOT && slot < DATA_SLOT + r->nr_slots && *page < slot_pages,
		    "entry %u of vCPU %u's dirty ring is page 0x%lx of slot 0x%x; %u from slot %u on, of %u pages, are logged",
		    r->rings[id].fetch - 1, id, *page, slot, r->nr_slots, DATA_SLOT, slot_pages);
	*page += (slot - DATA_SLOT) * slot_pages;
	return true;
}

static void reset(struct ring_vm *r)
{
	int64_t flushes = vm_tlb_flush_requests(r->vm);

	dirty_ring_reset(r->vm, r->popped);
	if (r->popped)
		vm_expect_tlb_flush(r->vm, flushes, "entries of the dirty ring were reset");
	r->popped = 0;
}

/* The ring holds @n pages from @first on, in any order, each once. */
static void expect_pages(struct ring_vm *r, unsigned int id, uint64_t first, uint64_t n,
			 uint64_t stride, const char *when)
{
	uint8_t want[NR_PAGES] = {};
	uint64_t i, page, missing = 0, some = 0;

	for (i = 0; i < n; i++)
		want[(first + i * stride) % NR_PAGES] = 1;
	while (pop_page(r, id, &page)) {
		TEST_ASSERT(want[page], "%s: page %lu is in the ring of vCPU %u, %s",
			    when, page, id, "and was not written or is there twice");
		want[page] = 0;
	}
	for (i = 0; i < NR_PAGES; i++) {
		if (!want[i])
			continue;
		some = i;
		missing++;
	}
	TEST_ASSERT(!missing, "%s: %lu pages that vCPU %u wrote are not in its ring, one is page %lu (gpa 0x%lx)",
		    when, missing, id, some, DATA_GPA + some * PAGE_SIZE);
}

/* Everything is mapped for writing before, so that only writes make an entry. */
static void start_logging(struct ring_vm *r)
{
	unsigned int i;

	guest_write_pages(r, 0, 0, NR_PAGES, 1);
	for (i = 0; i < r->nr_slots; i++)
		vm_mem_region_set_flags(r->vm, DATA_SLOT + i, KVM_MEM_LOG_DIRTY_PAGES);
}

/* ---- cases ---- */

FIXTURE_VARIANT(backing) {
	enum vm_mem_backing_src_type src;
	unsigned int huge_2m;
};
KVM_FIXTURE(backing)

FIXTURE_VARIANT_ADD(backing, anonymous) { VM_MEM_SRC_ANONYMOUS, 0 };
FIXTURE_VARIANT_ADD(backing, hugetlb_2m) { VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 2 };

KVM_TEST_F(backing, each_written_page_is_in_the_ring_once)
{
	static const struct { uint64_t first, n, stride; } sets[] = {
		{ 0, 1, 1 }, { 511, 2, 1 }, { NR_PAGES - 1, 1, 1 },
		{ 3, 64, 1 }, { 17, 130, 1 }, { 5, 100, 7 }, { 1000, 200, 1021 },
	};
	struct ring_vm r;
	unsigned int i;

	ring_vm_create(&r, 1, RING_SIZE, variant->src, guest_writes);
	start_logging(&r);
	for (i = 0; i < 4 * ARRAY_SIZE(sets); i++) {
		const typeof(sets[0]) *s = &sets[i % ARRAY_SIZE(sets)];

		test_step("round %u: %lu pages from %lu on, stride %lu", i, s->n,
			  s->first, s->stride);
		guest_write_pages(&r, 0, s->first, s->n, s->stride);
		/* Not again before the reset. */
		guest_write_pages(&r, 0, s->first, s->n, s->stride);
		expect_pages(&r, 0, s->first, s->n, s->stride, "after the writes");
		reset(&r);
		expect_pages(&r, 0, 0, 0, 1, "after the reset");
	}
	ring_vm_free(&r);
}

/* Pages of two slots come in turns, with offsets that would be neighbours in one. */
KVM_TEST(reset_of_two_slots)
{
	const uint64_t half = NR_PAGES / 2;
	struct ring_vm r;
	unsigned int i;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	vm_mem_region_delete(r.vm, DATA_SLOT);
	for (r.nr_slots = 0; r.nr_slots < 2; r.nr_slots++)
		vm_userspace_mem_region_add(r.vm, VM_MEM_SRC_ANONYMOUS,
					    DATA_GPA + r.nr_slots * half * PAGE_SIZE,
					    DATA_SLOT + r.nr_slots, half, 0);
	start_logging(&r);
	for (i = 0; i < 12; i++) {
		/* Every second round, down from the end. */
		const uint64_t first = i % 2 ? half - 1 - i : i;
		const uint64_t stride = i % 2 ? half - 1 : half + 1;

		test_step("round %u: 100 pages from %lu on, stride %lu", i, first, stride);
		guest_write_pages(&r, 0, first, 100, stride);
		expect_pages(&r, 0, first, 100, stride, "two slots in turns");
		reset(&r);
	}
	ring_vm_free(&r);
}

/* Entries name SMM's slots as such, and a reset protects the pages of those. */
KVM_TEST(entries_of_slots_of_smm, .caps = NEED_CAPS_SMM)
{
	const uint32_t slots[] = { DATA_SLOT, SMM_SLOT(DATA_SLOT) };
	const uint64_t n = 40;
	uint64_t page, first;
	unsigned int i, in_smm;
	struct ring_vm r;
	uint32_t slot;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	vm_smm_init(r.vm);
	vm_userspace_mem_region_add(r.vm, VM_MEM_SRC_ANONYMOUS, DATA_GPA, slots[1],
				    NR_PAGES, 0);
	for (in_smm = 0; in_smm < 2; in_smm++) {
		vcpu_set_smm(r.vcpus[0], in_smm);
		guest_write_pages(&r, 0, 0, NR_PAGES, 1);
		vm_mem_region_set_flags(r.vm, slots[in_smm], KVM_MEM_LOG_DIRTY_PAGES);
	}
	for (i = 0; i < 12; i++) {
		in_smm = i / 2 % 2;
		first = i % 3 * 100;
		vcpu_set_smm(r.vcpus[0], in_smm);
		test_step("round %u: write %lu pages from %lu on %s SMM", i, n, first,
			  in_smm ? "in" : "outside");
		guest_write_pages(&r, 0, first, n, 1);
		while (dirty_ring_pop(&r.rings[0], &slot, &page)) {
			TEST_ASSERT(slot == slots[in_smm] && page >= first && page < first + n,
				    "entry %u of the dirty ring is page 0x%lx of slot 0x%x, want one from 0x%lx on of slot 0x%x",
				    r.rings[0].fetch - 1, page, slot, first, slots[in_smm]);
			r.popped++;
		}
		TEST_ASSERT(r.popped == n, "%u entries in the dirty ring, want one for each of %lu pages",
			    r.popped, n);
		reset(&r);
	}
	vcpu_set_smm(r.vcpus[0], false);
	ring_vm_free(&r);
}

/* A reset is for what was harvested; the rest stays, and stays unprotected. */
KVM_TEST(reset_leaves_what_was_not_harvested)
{
	uint8_t seen[100] = {};
	struct ring_vm r;
	uint64_t page, i, n = 0;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	start_logging(&r);
	guest_write_pages(&r, 0, 0, ARRAY_SIZE(seen), 1);
	for (i = 0; i < ARRAY_SIZE(seen) / 3; i++) {
		TEST_ASSERT(pop_page(&r, 0, &page), "only %lu entries of %zu are there",
			    i, ARRAY_SIZE(seen));
		seen[page] = 1;
	}
	breadcrumb("reset a third of the entries");
	reset(&r);
	guest_write_pages(&r, 0, 0, ARRAY_SIZE(seen), 1);
	while (pop_page(&r, 0, &page)) {
		TEST_ASSERT(page < ARRAY_SIZE(seen) && seen[page] <= 1,
			    "page %lu is in the ring again", page);
		seen[page] += 2;
		n++;
	}
	for (i = 0; i < ARRAY_SIZE(seen); i++)
		TEST_ASSERT(seen[i] >= 2, "page %lu, %s, is not in the ring", i,
			    seen[i] ? "written again after its reset" :
				      "written before the reset and not harvested");
	TEST_ASSERT_EQ(n, ARRAY_SIZE(seen));
	reset(&r);
	ring_vm_free(&r);
}

KVM_TEST_F(backing, full_ring_exits_and_loses_nothing)
{
	struct ring_vm r;
	unsigned int round, fulls;
	uint64_t page, last, i, twice;

	ring_vm_create(&r, 1, RING_SIZE, variant->src, guest_writes);
	for (round = 0; round < 6; round++) {
		uint8_t seen[NR_PAGES] = {};

		guest_write_pages(&r, 0, 0, NR_PAGES, 1);
		vm_mem_region_set_flags(r.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		set_job(&r, 0, test_random() % NR_PAGES, NR_PAGES, 1 + 2 * (test_random() % 100));
		breadcrumb("round %u: fill the ring", round);
		for (fulls = 0;; fulls++) {
			vcpu_run(r.vcpus[0]);
			if (r.vcpus[0]->run->exit_reason != KVM_EXIT_DIRTY_RING_FULL)
				break;
			/* Until somebody harvests. */
			vcpu_run(r.vcpus[0]);
			if (r.vcpus[0]->run->exit_reason != KVM_EXIT_DIRTY_RING_FULL)
				vcpu_unexpected_exit(r.vcpus[0], "KVM_EXIT_DIRTY_RING_FULL as before");
			for (last = r.popped; pop_page(&r, 0, &page);)
				seen[page]++;
			TEST_ASSERT(r.popped - last > RING_SIZE / 4 && r.popped - last <= RING_SIZE,
				    "the ring of %u is full with %lu entries", RING_SIZE, r.popped - last);
			reset(&r);
		}
		if (get_ucall(r.vcpus[0], NULL) != UCALL_SYNC)
			vcpu_unexpected_exit(r.vcpus[0], "GUEST_SYNC or a full ring");
		while (pop_page(&r, 0, &page))
			seen[page]++;
		reset(&r);
		TEST_ASSERT(fulls, "the ring of %u was never full with %u pages written",
			    RING_SIZE, NR_PAGES);
		for (i = 0, twice = 0; i < NR_PAGES; i++) {
			TEST_ASSERT(seen[i], "round %u: page %lu (gpa 0x%lx) was written and never in the ring",
				    round, i, DATA_GPA + i * PAGE_SIZE);
			twice += seen[i] - 1;
		}
		/* The write that filled the ring is done after the reset, and logged again. */
		TEST_ASSERT(twice <= fulls, "round %u: %lu pages too many in a ring that was full %u times",
			    round, twice, fulls);
		vm_mem_region_set_flags(r.vm, DATA_SLOT, 0);
	}
	ring_vm_free(&r);
}

KVM_TEST(each_vcpu_has_its_ring)
{
	struct ring_vm r;
	unsigned int i;

	ring_vm_create(&r, 2, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	start_logging(&r);
	for (i = 0; i < 20; i++) {
		guest_write_pages(&r, 0, i, 40, 3);
		guest_write_pages(&r, 1, 500 + i, 30, 2);
		expect_pages(&r, 0, i, 40, 3, "two vCPUs");
		expect_pages(&r, 1, 500 + i, 30, 2, "two vCPUs");
		/* One is harvested later. */
		guest_write_pages(&r, 1, 900, 5, 1);
		reset(&r);
		guest_write_pages(&r, 1, 900, 5, 1);
		expect_pages(&r, 1, 900, 5, 1, "the other ring was reset");
		reset(&r);
	}
	ring_vm_free(&r);
}

/* As a migration does it, with only the rings to tell what to copy again. */
static void copy_dirty(struct ring_vm *r, char *copy)
{
	static uint64_t pages[2 * 8192];
	const char *memory = addr_gpa2hva(r->vm, DATA_GPA);
	unsigned int id, n = 0, i;

	for (id = 0; id < r->nr_vcpus; id++)
		while (n < ARRAY_SIZE(pages) && pop_page(r, id, &pages[n]))
			n++;
	/* Protected before it is copied, so that no write falls between. */
	reset(r);
	for (i = 0; i < n; i++)
		memcpy(copy + pages[i] * PAGE_SIZE, memory + pages[i] * PAGE_SIZE, PAGE_SIZE);
}

static void vcpu_thread(struct kvm_vcpu *vcpu)
{
	while (vcpu_run_unless_stopped(vcpu)) {
		if (get_ucall(vcpu, NULL) == UCALL_SYNC)
			return;
		if (vcpu->run->exit_reason != KVM_EXIT_DIRTY_RING_FULL)
			vcpu_unexpected_exit(vcpu, "GUEST_SYNC or a full ring");
	}
}

static void wait_for_rounds(struct ring_vm *r, unsigned int id, uint64_t n)
{
	uint64_t from = read_guest_global(r->vm, jobs[id].rounds);

	while (read_guest_global(r->vm, jobs[id].rounds) - from < n)
		usleep(200);
}

KVM_TEST_F(backing, a_running_guest_is_copied)
{
	char *copy = malloc(NR_PAGES * PAGE_SIZE);
	unsigned int i, id;
	struct ring_vm r;
	const char *memory;

	TEST_ERROR_ON(!copy, "no memory for a copy");
	ring_vm_create(&r, 2, 8 * RING_SIZE, variant->src, guest_writes_all_the_time);
	for (id = 0; id < 2; id++)
		write_guest_global(r.vm, jobs[id], (struct ring_job){});
	vm_mem_region_set_flags(r.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	memory = addr_gpa2hva(r.vm, DATA_GPA);
	memcpy(copy, memory, NR_PAGES * PAGE_SIZE);
	for (id = 0; id < 2; id++)
		vcpu_thread_start(r.vcpus[id], vcpu_thread);
	breadcrumb("copy what the rings say");
	for (i = 0; i < 10; i++) {
		wait_for_rounds(&r, i % 2, 30);
		copy_dirty(&r, copy);
	}
	for (id = 0; id < 2; id++)
		write_guest_global(r.vm, jobs[id].stop, 1);
	for (id = 0; id < 2; id++)
		vcpu_thread_join(r.vcpus[id]);
	copy_dirty(&r, copy);
	for (i = 0; i < NR_PAGES; i++)
		TEST_ASSERT(!memcmp(copy + i * PAGE_SIZE, memory + i * PAGE_SIZE, PAGE_SIZE),
			    "page %u: a write after its last entry was harvested and reset is in no ring", i);
	free(copy);
	ring_vm_free(&r);
}

/* What user space writes into an entry is not to be believed. */
KVM_TEST(garbage_in_the_ring_is_ignored)
{
	static const struct { uint32_t slot; uint64_t offset; } bad[] = {
		{ DATA_SLOT, NR_PAGES }, { DATA_SLOT, ~0UL }, { DATA_SLOT, 1UL << 52 },
		{ DATA_SLOT + 1, 0 }, { 0x7fff, 0 }, { 0xffff, 0 }, { ~0U, ~0UL },
		{ 1 << 16 | DATA_SLOT, 0 }, { 2 << 16 | DATA_SLOT, 0 }, { 0, 1UL << 40 },
	};
	volatile struct kvm_dirty_gfn *gfn;
	struct ring_vm r;
	uint64_t page;
	unsigned int i;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	start_logging(&r);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		guest_write_pages(&r, 0, i, 1, 1);
		gfn = &r.rings[0].gfns[r.rings[0].fetch % RING_SIZE];
		TEST_ASSERT(pop_page(&r, 0, &page), "the write is not in the ring");
		gfn->slot = bad[i].slot;
		gfn->offset = bad[i].offset;
		breadcrumb("reset an entry of slot 0x%x, page 0x%lx", bad[i].slot, bad[i].offset);
		reset(&r);
	}
	/* Those pages were not protected again; all others are as before. */
	guest_write_pages(&r, 0, 0, 100, 1);
	expect_pages(&r, 0, ARRAY_SIZE(bad), 100 - ARRAY_SIZE(bad), 1, "after garbage");
	reset(&r);
	ring_vm_free(&r);
}

/* The first one is of the slot; the other one would be the next slot's. */
KVM_TEST(entries_across_the_end_of_a_slot)
{
	const uint64_t half = NR_PAGES / 2, beyond = half + 20;
	volatile struct kvm_dirty_gfn *gfn;
	uint64_t page;
	struct ring_vm r;
	unsigned int i;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	vm_mem_region_delete(r.vm, DATA_SLOT);
	for (r.nr_slots = 0; r.nr_slots < 2; r.nr_slots++)
		vm_userspace_mem_region_add(r.vm, VM_MEM_SRC_ANONYMOUS,
					    DATA_GPA + r.nr_slots * half * PAGE_SIZE,
					    DATA_SLOT + r.nr_slots, half, 0);
	start_logging(&r);
	for (i = 0; i < 8; i++) {
		guest_write_pages(&r, 0, 2 * i, 2, 1);
		gfn = &r.rings[0].gfns[r.rings[0].fetch % RING_SIZE];
		TEST_ASSERT(pop_page(&r, 0, &page), "the write is not in the ring");
		gfn->offset = half - 1 - i;
		gfn = &r.rings[0].gfns[r.rings[0].fetch % RING_SIZE];
		TEST_ASSERT(pop_page(&r, 0, &page), "the write is not in the ring");
		gfn->offset = beyond;
		/* Written and not harvested: nobody may protect it again. */
		guest_write_pages(&r, 0, beyond, 1, 1);
		breadcrumb("reset pages 0x%lx and 0x%lx of 0x%lx", half - 1 - i, beyond, half);
		reset(&r);
		guest_write_pages(&r, 0, beyond, 1, 1);
		expect_pages(&r, 0, beyond, 1, 1, "after a reset of another slot");
		reset(&r);
	}
	ring_vm_free(&r);
}

KVM_TEST(slot_goes_while_its_entries_wait)
{
	struct ring_vm r;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	start_logging(&r);
	guest_write_pages(&r, 0, 10, 200, 3);
	expect_pages(&r, 0, 10, 200, 3, "before");
	breadcrumb("delete the slot, then reset");
	vm_mem_region_delete(r.vm, DATA_SLOT);
	reset(&r);
	/* And one that is smaller than the entries say. */
	vm_userspace_mem_region_add(r.vm, VM_MEM_SRC_ANONYMOUS, DATA_GPA, DATA_SLOT,
				    NR_PAGES, KVM_MEM_LOG_DIRTY_PAGES);
	guest_write_pages(&r, 0, 0, 200, 5);
	expect_pages(&r, 0, 0, 200, 5, "in the new slot");
	vm_mem_region_delete(r.vm, DATA_SLOT);
	vm_userspace_mem_region_add(r.vm, VM_MEM_SRC_ANONYMOUS, DATA_GPA, DATA_SLOT,
				    16, KVM_MEM_LOG_DIRTY_PAGES);
	reset(&r);
	ring_vm_free(&r);
}

static int enable(struct kvm_vm *vm, uint64_t bytes)
{
	return __vm_enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, bytes);
}

/* KVM takes entries of up to 64 pages in a row together, and looks at the first and last. */
KVM_TEST(garbage_behind_the_last_page_is_ignored)
{
	static const uint64_t rows[][2] = {
		{ NR_PAGES - 1, NR_PAGES }, { NR_PAGES - 1, NR_PAGES + 62 },
		{ NR_PAGES - 63, NR_PAGES }, { NR_PAGES, NR_PAGES - 1 },
		{ NR_PAGES, NR_PAGES + 1 },
	};
	volatile struct kvm_dirty_gfn *gfn;
	struct ring_vm r;
	unsigned int i, k;
	uint64_t page;

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	start_logging(&r);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		guest_write_pages(&r, 0, 2 * i, 2, 1);
		for (k = 0; k < 2; k++) {
			gfn = &r.rings[0].gfns[r.rings[0].fetch % RING_SIZE];
			TEST_ASSERT(pop_page(&r, 0, &page), "the write is not in the ring");
			gfn->offset = rows[i][k];
		}
		breadcrumb("reset entries of pages 0x%lx and 0x%lx", rows[i][0], rows[i][1]);
		dirty_ring_reset(r.vm, r.popped);
		r.popped = 0;
	}
	guest_write_pages(&r, 0, 0, 100, 1);
	expect_pages(&r, 0, 2 * ARRAY_SIZE(rows), 100 - 2 * ARRAY_SIZE(rows), 1, "after garbage");
	reset(&r);
	ring_vm_free(&r);
}

KVM_TEST(what_makes_no_sense_is_refused)
{
	const uint64_t max = kvm_check_cap(KVM_CAP_DIRTY_LOG_RING);
	uint64_t bitmap[NR_PAGES / 64];
	struct kvm_dirty_log log = { .slot = DATA_SLOT, .dirty_bitmap = bitmap };
	struct kvm_clear_dirty_log clear = {
		.slot = DATA_SLOT, .num_pages = NR_PAGES, .dirty_bitmap = bitmap,
	};
	struct kvm_vm *vm = vm_create(1);
	struct ring_vm r;

	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_RESET_DIRTY_RINGS, NULL), EINVAL, "reset without a ring");
	TEST_ASSERT_ERRNO(enable(vm, 0), EINVAL, "a ring of nothing");
	TEST_ASSERT_ERRNO(enable(vm, max - PAGE_SIZE), EINVAL, "a ring that is no power of two");
	TEST_ASSERT_ERRNO(enable(vm, 16), EINVAL, "a ring of one entry");
	TEST_ASSERT_ERRNO(enable(vm, 2 * max), E2BIG, "a ring above the maximum");
	vm_vcpu_add(vm, 0, guest_writes);
	TEST_ASSERT_ERRNO(enable(vm, max), EINVAL, "a ring when there is a vCPU");
	kvm_vm_free(vm);

	ring_vm_create(&r, 1, RING_SIZE, VM_MEM_SRC_ANONYMOUS, guest_writes);
	start_logging(&r);
	TEST_ASSERT_ERRNO(enable(r.vm, max), EINVAL, "a second ring");
	TEST_ASSERT_ERRNO(__vm_ioctl(r.vm, KVM_GET_DIRTY_LOG, &log), ENXIO, "KVM_GET_DIRTY_LOG");
	TEST_ASSERT_ERRNO(__vm_ioctl(r.vm, KVM_CLEAR_DIRTY_LOG, &clear), ENXIO, "KVM_CLEAR_DIRTY_LOG");
	TEST_ASSERT(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, r.vcpus[0]->fd,
			 KVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE) == MAP_FAILED,
		    "the ring was mapped executable");
	TEST_ASSERT(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, r.vcpus[0]->fd,
			 KVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE) == MAP_FAILED,
		    "the ring was mapped privately");
	dirty_ring_reset(r.vm, 0);
	guest_write_pages(&r, 0, 7, 1, 1);
	expect_pages(&r, 0, 7, 1, 1, "after the refusals");
	reset(&r);
	ring_vm_free(&r);
}

KVM_TEST_MAIN()
