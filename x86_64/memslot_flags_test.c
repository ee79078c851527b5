// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flags of a memslot. A write to a read-only slot exits as MMIO with what
 * the guest wrote and leaves memory alone, while reads and code stay RAM. With
 * dirty logging on, each page that is written from the ioctl's return on is
 * reported, and no page that nobody touched. Switching loses no data.
 *
 * What breaks this: SPTEs that are, or stay, writable (a read fault that maps a
 * page of a read-only slot writable, write protection or its TLB flush that is
 * forgotten when logging starts or the log is read), a bitmap that is lost or
 * inherited when the slot changes.
 */
#include <sys/mman.h>

#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_flags_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY)), .mem_mb = 64 });

#define SLOT	1
#define GPA	ARENA_GPA

#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

#define MAX_PAGES	512
#define BITMAP_WORDS	(MAX_PAGES / 64)

FIXTURE_VARIANT(backing) {
	enum vm_mem_backing_src_type type;
	size_t npages;			/* not a multiple of 64 where it can */
};
KVM_FIXTURE(backing)

FIXTURE_VARIANT_ADD(backing, anonymous) {
	.type = VM_MEM_SRC_ANONYMOUS, .npages = 70,
};
FIXTURE_VARIANT_ADD(backing, hugetlb_2mb) {
	.type = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .npages = MAX_PAGES,
};

static void mem_alloc(const FIXTURE_VARIANT(backing) *v, struct patterned_mem *m)
{
	patterned_mem_alloc(m, v->type, v->npages * PAGE_SIZE, GPA, PATTERN(1));
}

/* ---- KVM_MEM_READONLY ---- */

static void expect_write_exits(struct probe *p, gpa_t gpa, unsigned int len,
			       uint64_t value)
{
	uint64_t mask = len < 8 ? BIT_ULL(len * 8) - 1 : ~0ULL;
	struct probe_result r = probe_write(p, gpa, len, value);
	char want[128];

	if (r.outcome == PROBE_MMIO && r.mmio.is_write && r.mmio.gpa == gpa &&
	    r.mmio.len == len && r.mmio.data == (value & mask))
		return;
	snprintf(want, sizeof(want),
		 "KVM_EXIT_MMIO write of %u bytes at gpa 0x%lx data 0x%lx", len, gpa,
		 value & mask);
	probe_unexpected(p, gpa, &r, want);
}

static void expect_add_exits(struct probe *p, gpa_t gpa, uint64_t old, bool lock)
{
	struct probe_result r = probe_add(p, gpa, 0x1111, lock);
	char want[128];

	if (r.outcome == PROBE_MMIO && r.mmio.is_write && r.mmio.gpa == gpa &&
	    r.mmio.len == 8 && r.mmio.data == old + 0x1111)
		return;
	snprintf(want, sizeof(want),
		 "KVM_EXIT_MMIO write of 8 bytes at gpa 0x%lx data 0x%lx", gpa,
		 old + 0x1111);
	probe_unexpected(p, gpa, &r, want);
}

/* All that a read-only slot is, for @npages of @m from @gpa on. */
static void expect_readonly(struct arena *a, gpa_t gpa, struct patterned_mem *m,
			    size_t npages)
{
	static const unsigned int lens[] = { 1, 2, 4, 8 };
	unsigned int i, j, exits;

	for (i = 0; i < a->nr_probes; i++) {
		struct probe *p = &a->probes[i];

		/* Writes before anything is mapped, on mapped pages, and again. */
		for (j = 0; j < ARRAY_SIZE(lens); j++)
			expect_write_exits(p, gpa + j * PAGE_SIZE + 0x100 + j * 0x18,
					   lens[j], test_random());
		probe_check_pages(p, gpa, m, 0, npages);
		exits = probe_write_pages(p, gpa, 32, test_random());
		TEST_ASSERT_ORACLE(ORACLE_EXIT, exits == 32,
				   "vCPU %u wrote to 32 pages of a read-only slot at gpa 0x%lx: %u MMIO exits",
				   i, gpa, exits);
		expect_add_exits(p, gpa, patterned_mem_word0(m, 0), false);
		expect_add_exits(p, gpa + PAGE_SIZE, patterned_mem_word0(m, 1), true);
		probe_check_pages(p, gpa, m, 0, npages);
	}
	patterned_mem_check(m, "the guest wrote to its read-only slot");
}

KVM_TEST_F(backing, readonly_slot_reads_ram_and_writes_exit,
	   .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	const size_t n = variant->npages;
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, 2 * n);
	mem_alloc(variant, &mem);
	for (round = 0; round < test_tries(3); round++) {
		breadcrumb("round %u: read-only slot", round);
		arena_add(&a, &mem, GPA, SLOT, KVM_MEM_READONLY);
		expect_readonly(&a, GPA, &mem, n);
		/* The host may write, and the guest reads that. */
		patterned_mem_refill(&mem, PATTERN(round + 2));
		expect_readonly(&a, GPA, &mem, n);
		breadcrumb("round %u: move the read-only slot", round);
		vm_mem_region_move(a.vm, SLOT, GPA + n * PAGE_SIZE);
		expect_readonly(&a, GPA + n * PAGE_SIZE, &mem, n);
		arena_expect_gap(&a, GPA, n);
		vm_mem_region_delete(a.vm, SLOT);
		arena_expect_gap(&a, GPA + n * PAGE_SIZE, n);

		/* The flag goes with the slot. */
		arena_add(&a, &mem, GPA, SLOT, 0);
		arena_write(&a, GPA, &mem, 0, n);
		vm_mem_region_delete(a.vm, SLOT);
		patterned_mem_refill(&mem, PATTERN(round + 2));
	}
	arena_check_neighbours(&a, "read-only slots");
	arena_free(&a);
}

/* Host memory that the host itself may only read is enough for such a slot. */
KVM_TEST(readonly_slot_over_readonly_memory,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	static const enum vm_mem_backing_src_type types[] = {
		VM_MEM_SRC_ANONYMOUS, VM_MEM_SRC_SHMEM, VM_MEM_SRC_FILE,
	};
	const size_t n = 40;
	struct patterned_mem mem;
	struct arena a;
	size_t i;

	arena_create(&a, 2, n);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		patterned_mem_alloc(&mem, types[i], n * PAGE_SIZE, GPA, PATTERN(i + 1));
		TEST_ERROR_ON(mprotect(mem.mem.hva, mem.mem.size, PROT_READ), "mprotect");
		breadcrumb("read-only slot over read-only %s memory",
			   vm_mem_backing_src_name(types[i]));
		arena_add(&a, &mem, GPA, SLOT, KVM_MEM_READONLY);
		expect_readonly(&a, GPA, &mem, n);
		vm_mem_region_delete(a.vm, SLOT);
		patterned_mem_free(&mem);
	}
	arena_free(&a);
}

#define HAMMERED	16

static const unsigned int writers[ARENA_MAX_PROBES] = {
	HAMMER_READ | HAMMER_WRITE, HAMMER_READ | HAMMER_WRITE | HAMMER_EXEC,
};

/* Writable and read-only in turn, the same memory, and no vCPU ever stops. */
KVM_TEST_F(backing, turns_readonly_while_vcpus_write,
	   .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, variant->npages);
	mem_alloc(variant, &mem);
	arena_hammer_start(&a, GPA, HAMMERED, writers);
	for (round = 0; round < test_tries(14); round++) {
		bool readonly = round & 1;

		breadcrumb("round %u: recreate as %s", round,
			   readonly ? "read-only" : "writable");
		arena_update_begin(&a);
		if (round)
			vm_mem_region_delete(a.vm, SLOT);
		/* Nobody can write, nor run the code that changes here. */
		patterned_mem_refill(&mem, PATTERN(round + 2));
		arena_add(&a, &mem, GPA, SLOT, readonly ? KVM_MEM_READONLY : 0);
		arena_world_mem(&a, GPA, &mem, 0, HAMMERED,
				readonly ? PAGE_IS_READONLY : PAGE_IS_RAM);
		arena_update_end(&a);
		arena_hammer_wait(&a);
		if (readonly)
			patterned_mem_check(&mem, "read-only since update %lu",
					    a.vm->memslot_updates);
	}
	arena_hammer_stop(&a);
	arena_check_neighbours(&a, "read-only %u times", round / 2);
	arena_free(&a);
}

/* ---- KVM_MEM_LOG_DIRTY_PAGES ---- */

/* What the guest did to each page since the log was last read. */
struct dirty {
	bool read[MAX_PAGES], written[MAX_PAGES];
};

static bool bit_of(const uint64_t *bitmap, size_t n)
{
	return bitmap[n / 64] & BIT_ULL(n % 64);
}

/*
 * A page that is only read may be reported: where nothing maps it yet, KVM maps
 * it writable at once and must then take it for dirty.
 */
static void expect_dirty_log(struct arena *a, size_t npages, struct dirty *d,
			     const char *when)
{
	uint64_t bitmap[BITMAP_WORDS];
	size_t i;

	/* Not all of it is KVM's to write, but what is must be written. */
	memset(bitmap, 0, sizeof(bitmap));
	memset(bitmap, 0xff, align_up(npages, 64) / 8);
	kvm_vm_get_dirty_log(a->vm, SLOT, bitmap);
	for (i = 0; i < MAX_PAGES; i++) {
		bool dirty = bit_of(bitmap, i);
		bool written = i < npages && d->written[i];

		TEST_ASSERT(!written || dirty,
			    "dirty log, %s: the guest wrote to page %zu of %zu, gpa 0x%lx, and it is not reported; %lu memslot updates so far",
			    when, i, npages, GPA + i * PAGE_SIZE, a->vm->memslot_updates);
		TEST_ASSERT(!dirty || written || (i < npages && d->read[i]),
			    "dirty log, %s: page %zu of %zu, gpa 0x%lx, is reported and nobody touched it; %lu memslot updates so far",
			    when, i, npages, GPA + i * PAGE_SIZE, a->vm->memslot_updates);
	}
	memset(d, 0, sizeof(*d));
}

/* Single writes and reads of pages drawn at random, by both vCPUs in turn. */
static void touch_some(struct arena *a, struct patterned_mem *m, size_t npages,
		       gpa_t gpa, struct dirty *d)
{
	unsigned int i;

	for (i = 0; i < 24; i++) {
		struct probe *p = &a->probes[i % a->nr_probes];
		/* Neighbours, and both ends, are drawn more often. */
		size_t page = i < 2 ? i * (npages - 1) : test_random() % npages;
		gpa_t at = gpa + page * PAGE_SIZE + 0xd00 + 8 * (i % a->nr_probes);
		uint64_t value = test_random();
		struct probe_result r;

		if (i % 4 == 3) {
			probe_expect_ram(p, gpa + page * PAGE_SIZE,
					 patterned_mem_word0(m, page));
			d->read[page] = true;
			continue;
		}
		r = probe_write(p, at, 8, value);
		if (r.outcome != PROBE_RAM)
			probe_unexpected(p, at, &r, "a write to RAM");
		patterned_mem_wrote(m, page * PAGE_SIZE + at % PAGE_SIZE, 8, value);
		d->written[page] = true;
	}
}

static void expect_no_log(struct arena *a)
{
	uint64_t bitmap[BITMAP_WORDS];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };

	TEST_ASSERT_ERRNO(__vm_ioctl(a->vm, KVM_GET_DIRTY_LOG, &log), ENOENT,
			  "KVM_GET_DIRTY_LOG of a slot without dirty logging");
}

KVM_TEST_F(backing, dirty_log_has_each_written_page)
{
	const size_t n = variant->npages;
	static struct dirty d;
	struct patterned_mem mem;
	unsigned int round, i;
	struct arena a;

	arena_create(&a, 2, n);
	mem_alloc(variant, &mem);
	arena_add(&a, &mem, GPA, SLOT, 0);
	for (round = 0; round < test_tries(3); round++) {
		/* Everything mapped, and writable. */
		arena_write(&a, GPA, &mem, 0, n);
		arena_expect_mem(&a, GPA, &mem, 0, n);
		expect_no_log(&a);
		breadcrumb("round %u: dirty logging on", round);
		vm_mem_region_set_flags(a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		expect_dirty_log(&a, n, &d, "just switched on");
		for (i = 0; i < 3; i++) {
			touch_some(&a, &mem, n, GPA, &d);
			expect_dirty_log(&a, n, &d, "after writing");
			expect_dirty_log(&a, n, &d, "read twice");
		}
		touch_some(&a, &mem, n, GPA, &d);
		patterned_mem_check(&mem, "logged, round %u", round);
		breadcrumb("round %u: dirty logging off", round);
		vm_mem_region_set_flags(a.vm, SLOT, 0);
		memset(&d, 0, sizeof(d));
		arena_expect_mem(&a, GPA, &mem, 0, n);
	}
	arena_check_neighbours(&a, "dirty logging switched %u times", round);
	arena_free(&a);
}

KVM_TEST_F(backing, dirty_log_follows_its_slot)
{
	const size_t n = variant->npages;
	static struct dirty d;
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, 2 * n);
	mem_alloc(variant, &mem);
	for (round = 0; round < 2; round++) {
		arena_add(&a, &mem, GPA, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		expect_dirty_log(&a, n, &d, "new slot");
		touch_some(&a, &mem, n, GPA, &d);
		/* Written before the move, and reported after it. */
		breadcrumb("round %u: move a logged slot", round);
		vm_mem_region_move(a.vm, SLOT, GPA + n * PAGE_SIZE);
		touch_some(&a, &mem, n, GPA + n * PAGE_SIZE, &d);
		expect_dirty_log(&a, n, &d, "moved");
		touch_some(&a, &mem, n, GPA + n * PAGE_SIZE, &d);
		expect_dirty_log(&a, n, &d, "written after the move");
		touch_some(&a, &mem, n, GPA + n * PAGE_SIZE, &d);
		/* A new slot has a log of its own. */
		breadcrumb("round %u: recreate a logged slot", round);
		vm_mem_region_delete(a.vm, SLOT);
		memset(&d, 0, sizeof(d));
		expect_no_log(&a);
		arena_add(&a, &mem, GPA, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		expect_dirty_log(&a, n, &d, "recreated");
		vm_mem_region_delete(a.vm, SLOT);
	}
	patterned_mem_check(&mem, "logged slot moved and recreated");
	arena_check_neighbours(&a, "logged slot moved and recreated");
	arena_free(&a);
}

KVM_TEST_F(backing, readonly_slot_is_never_dirty,
	   .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	const size_t n = variant->npages;
	static struct dirty d;
	struct patterned_mem mem;
	unsigned int round;
	struct arena a;

	arena_create(&a, 2, n);
	mem_alloc(variant, &mem);
	arena_add(&a, &mem, GPA, SLOT, KVM_MEM_READONLY);
	for (round = 0; round < 2; round++) {
		expect_no_log(&a);
		vm_mem_region_set_flags(a.vm, SLOT,
					KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES);
		expect_readonly(&a, GPA, &mem, n);
		expect_dirty_log(&a, n, &d, "read-only");
		vm_mem_region_set_flags(a.vm, SLOT, KVM_MEM_READONLY);
		expect_readonly(&a, GPA, &mem, n);
	}
	arena_free(&a);
}

/* ---- logging on and off while two vCPUs write ---- */

struct cells {
	uint64_t value[HAMMERED][ARENA_MAX_PROBES];
};

static void cells_read(struct arena *a, struct patterned_mem *m, struct cells *c)
{
	unsigned int i;
	size_t page;

	for (page = 0; page < HAMMERED; page++) {
		for (i = 0; i < a->nr_probes; i++)
			c->value[page][i] = *(volatile uint64_t *)
				((char *)m->mem.hva + page * PAGE_SIZE +
				 probe_hammer_cell(&a->probes[i]));
	}
}

/* Changed since @before, when the log was on already: must be in the log. */
static void expect_changes_logged(struct arena *a, struct patterned_mem *m,
				  const struct cells *before, const char *when)
{
	static struct dirty d;
	struct cells now;
	unsigned int i;
	size_t page;

	cells_read(a, m, &now);
	for (page = 0; page < HAMMERED; page++) {
		d.read[page] = true;
		for (i = 0; i < a->nr_probes; i++)
			d.written[page] |= now.value[page][i] != before->value[page][i];
	}
	expect_dirty_log(a, m->mem.size / PAGE_SIZE, &d, when);
}

KVM_TEST_F(backing, dirty_log_switched_while_vcpus_write)
{
	struct patterned_mem mem;
	struct cells before;
	unsigned int round, i;
	struct arena a;

	arena_create(&a, 2, variant->npages);
	mem_alloc(variant, &mem);
	arena_hammer_start(&a, GPA, HAMMERED, writers);
	arena_update_begin(&a);
	arena_add(&a, &mem, GPA, SLOT, 0);
	arena_world_mem(&a, GPA, &mem, 0, HAMMERED, PAGE_IS_RAM);
	arena_update_end(&a);
	for (round = 0; round < test_tries(8); round++) {
		arena_hammer_wait(&a);
		/* No arena_update_begin(): nothing changes for the guest. */
		breadcrumb("round %u: dirty logging on while vCPUs write", round);
		vm_mem_region_set_flags(a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		for (i = 0; i < 3; i++) {
			cells_read(&a, &mem, &before);
			arena_hammer_wait(&a);
			expect_changes_logged(&a, &mem, &before, "vCPUs write");
		}
		breadcrumb("round %u: dirty logging off while vCPUs write", round);
		vm_mem_region_set_flags(a.vm, SLOT, 0);
	}
	arena_hammer_stop(&a);
	arena_check_neighbours(&a, "dirty logging switched %u times", round);
	arena_free(&a);
}

/* Until the probe has written once more than when this was called. */
static void wait_for_write(struct arena *a, struct patterned_mem *m)
{
	volatile uint64_t *cell = (uint64_t *)((char *)m->mem.hva +
					       probe_hammer_cell(&a->probes[0]));
	uint64_t before = *cell;
	unsigned int i;

	for (i = 0; *cell == before; i++) {
		cpu_relax();
		/* Fails when the probe is stuck. */
		if (i > 1000000)
			probe_hammer_wait(&a->probes[0]);
	}
}

/*
 * The TLB alone: the vCPU writes to one page without a break, so the translation
 * is hot and the very first write decides. Later ones would hide a lost flush.
 */
KVM_TEST_F(backing, first_write_is_in_the_log)
{
	/* A vCPU that writes without an exit (PML) keeps the only CPU for long. */
	const bool is_slow = sysconf(_SC_NPROCESSORS_ONLN) == 1 && !host_is_amd() &&
			     kvm_get_module_param_bool("kvm_intel", "pml");
	static const unsigned int what[] = { HAMMER_WRITE };
	struct patterned_mem mem;
	uint64_t log[BITMAP_WORDS];
	unsigned int round, i;
	struct arena a;

	arena_create(&a, 1, variant->npages);
	mem_alloc(variant, &mem);
	arena_add(&a, &mem, GPA, SLOT, 0);
	arena_update_begin(&a);
	arena_hammer_start(&a, GPA, 1, what);
	arena_world_mem(&a, GPA, &mem, 0, 1, PAGE_IS_RAM);
	arena_update_end(&a);
	breadcrumb("dirty logging on and off around single writes");
	for (round = 0; round < test_tries(is_slow ? 20 : 400); round++) {
		wait_for_write(&a, &mem);
		vm_mem_region_set_flags(a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		for (i = 0; i < 3; i++) {
			wait_for_write(&a, &mem);
			kvm_vm_get_dirty_log(a.vm, SLOT, log);
			TEST_ASSERT(log[0] & 1,
				    "round %u: the first write to gpa 0x%lx after %s is not in the dirty log: written through a stale translation?",
				    round, GPA, i ? "the log was read" : "logging was switched on");
		}
		vm_mem_region_set_flags(a.vm, SLOT, 0);
	}
	arena_hammer_stop(&a);
	arena_check_neighbours(&a, "dirty logging switched %u times", round);
	arena_free(&a);
}

KVM_TEST_MAIN()
