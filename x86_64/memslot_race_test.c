// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots come, go, move and change their flags in a random order while up to
 * eight vCPUs read, write and execute all over them. From the moment an ioctl
 * returns, every vCPU sees what is there now: the new memory, or a gap; memory
 * that has no slot any more is not touched by anybody; and no vCPU leaves guest
 * mode for another reason than a gap or a write to a read-only slot.
 *
 * What breaks this: a page fault that maps what it looked up before the update,
 * a zap or a flush that another vCPU's fault can get around, a TLB flush that
 * does not reach all vCPUs, a lookup in a slot that is gone.
 *
 * --seed N repeats a sequence of updates.
 */
#include <sys/mman.h>

#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_race_test,
	/* Eight vCPUs share what CPUs there are. */
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)), .mem_mb = 64,
		   .timeout = 60 },
	.fixes = FIXES("12d6e7538e2d KVM: perform an invalid memslot step for gpa base change",
		       "ddfd1730fd82 KVM: x86/mmu: Do not cache MMIO accesses while memslots are in flux"));

#define GPA		ARENA_GPA
#define WINDOW		16		/* pages that are hammered */
#define NR_SLOTS	3		/* in the window; their ids are 1 and up */
#define MEM_PAGES	6		/* of a slot's memory; a slot has 1 to 6 */
#define MAX_BURST	4		/* updates between two looks */

/* A slot has one piece of memory in use, and one that nobody may touch. */
struct raced_slot {
	uint32_t id;
	bool present;
	uint32_t flags;
	size_t at, npages;		/* in the window */
	size_t first;			/* page of the memory */
	struct patterned_mem mem[2], *used, *spare;
};

struct race {
	struct arena a;
	unsigned int what[ARENA_MAX_PROBES];
	struct raced_slot slots[NR_SLOTS];
	unsigned int pattern_round;
	unsigned int updates;
};

static size_t random_below(size_t n)
{
	return test_random() % n;
}

/* Contents that no memory of this case had before. */
static void refill(struct race *r, struct raced_slot *s, struct patterned_mem *m)
{
	patterned_mem_refill(m, (struct pattern){ ++r->pattern_round, s->id });
}

static void race_create(struct race *r, unsigned int nr_vcpus)
{
	unsigned int i, j;

	memset(r, 0, sizeof(*r));
	arena_create(&r->a, nr_vcpus, WINDOW);
	for (i = 0; i < NR_SLOTS; i++) {
		struct raced_slot *s = &r->slots[i];

		s->id = i + 1;
		for (j = 0; j < 2; j++)
			patterned_mem_alloc(&s->mem[j], VM_MEM_SRC_ANONYMOUS,
					    MEM_PAGES * PAGE_SIZE, GPA,
					    (struct pattern){ ++r->pattern_round, s->id });
		s->used = &s->mem[0];
		s->spare = &s->mem[1];
	}
	/* Every second one writes, every other one executes; one alone does all. */
	for (i = 0; i < nr_vcpus; i++)
		r->what[i] = HAMMER_READ | (i % 2 ? HAMMER_EXEC : HAMMER_WRITE);
	if (nr_vcpus == 1)
		r->what[0] |= HAMMER_EXEC;
}

/* ---- one update ---- */

static bool is_free(const struct race *r, const struct raced_slot *self, size_t at,
		    size_t npages)
{
	const struct raced_slot *s;

	for (s = r->slots; s < r->slots + NR_SLOTS; s++) {
		if (s != self && s->present && at < s->at + s->npages &&
		    s->at < at + npages)
			return false;
	}
	return at + npages <= WINDOW;
}

static bool find_place(const struct race *r, const struct raced_slot *self,
		       size_t npages, size_t *at)
{
	unsigned int tries;

	for (tries = 0; tries < 16; tries++) {
		*at = random_below(WINDOW);
		if (is_free(r, self, *at, npages))
			return true;
	}
	return false;
}

/* Called before arena_update_end(). */
static void describe_window(struct race *r)
{
	const struct raced_slot *s;

	arena_world_gap(&r->a, GPA, WINDOW);
	for (s = r->slots; s < r->slots + NR_SLOTS; s++) {
		if (s->present)
			arena_world_mem(&r->a, GPA + s->at * PAGE_SIZE, s->used,
					s->first, s->npages,
					s->flags & KVM_MEM_READONLY ?
					PAGE_IS_READONLY : PAGE_IS_RAM);
	}
}

static void add(struct race *r, struct raced_slot *s)
{
	arena_add_part(&r->a, s->used, s->first, s->npages, GPA + s->at * PAGE_SIZE,
		       s->id, s->flags);
	s->present = true;
}

static void take_away(struct race *r, struct raced_slot *s)
{
	struct patterned_mem *m = s->used;

	vm_mem_region_delete(r->a.vm, s->id);
	s->present = false;
	s->used = s->spare;
	s->spare = m;
	/* Now it is nobody's: a late write of a vCPU would show. */
	refill(r, s, m);
}

static uint32_t random_flags(void)
{
	static const uint32_t flags[] = { 0, 0, KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY };

	return flags[random_below(ARRAY_SIZE(flags))];
}

static const char *update_slot(struct race *r, struct raced_slot *s)
{
	size_t at;

	if (!s->present) {
		s->npages = 1 + random_below(MEM_PAGES);
		s->first = random_below(MEM_PAGES - s->npages + 1);
		s->flags = random_flags();
		if (!find_place(r, s, s->npages, &s->at))
			return NULL;
		add(r, s);
		return "add";
	}
	switch (random_below(4)) {
	case 0:
		take_away(r, s);
		return "delete";
	case 1:
		take_away(r, s);
		s->flags = random_flags();
		add(r, s);
		return "replace";
	case 2:
		if (!find_place(r, s, s->npages, &at) || at == s->at)
			return NULL;
		s->at = at;
		arena_move(&r->a, s->id, GPA + at * PAGE_SIZE);
		return "move";
	default:
		s->flags ^= KVM_MEM_LOG_DIRTY_PAGES;
		vm_mem_region_set_flags(r->a.vm, s->id, s->flags);
		return "flags";
	}
}

static void random_update(struct race *r)
{
	struct raced_slot *s = &r->slots[random_below(NR_SLOTS)];
	const char *what;

	arena_update_begin(&r->a);
	what = update_slot(r, s);
	describe_window(r);
	arena_update_end(&r->a);
	if (!what)
		return;
	r->updates++;
	breadcrumb("update %u: %s slot %u, %zu pages at page %zu, flags 0x%x",
		   r->updates, what, s->id, s->npages, s->at, s->flags);
}

/* ---- looking ---- */

static bool is_cell(const struct race *r, size_t offset)
{
	unsigned int i;

	for (i = 0; i < r->a.nr_probes; i++) {
		if (r->what[i] & HAMMER_WRITE &&
		    offset == probe_hammer_cell(&r->a.probes[i]))
			return true;
	}
	return false;
}

/* vCPUs write to their cells of pages that they may write to, and nowhere else. */
static void check_used(const struct race *r, const struct raced_slot *s)
{
	const uint64_t *got = s->used->mem.hva, *want = s->used->want;
	char text[2][128];
	size_t i;

	for (i = 0; i < MEM_PAGES * PAGE_SIZE / 8; i++) {
		uint64_t value = *(volatile const uint64_t *)&got[i];
		size_t page = i / (PAGE_SIZE / 8), offset = i * 8 % PAGE_SIZE;

		if (value == want[i] ||
		    (s->present && !(s->flags & KVM_MEM_READONLY) &&
		     page >= s->first && page < s->first + s->npages &&
		     is_cell(r, offset)))
			continue;
		TEST_FAIL("slot %u after update %u: page %zu of its memory, offset 0x%zx (%s, %zu pages from page %zu on are in the slot): got %s, want %s",
			  s->id, r->updates, page, offset,
			  !s->present ? "not in a slot" :
			  s->flags & KVM_MEM_READONLY ? "read-only" : "writable",
			  s->present ? s->npages : 0, s->first,
			  probe_describe_value(value, text[0], sizeof(text[0])),
			  probe_describe_value(want[i], text[1], sizeof(text[1])));
	}
}

/* Each page of a slot that is logged is written to in every loop, or none. */
static void check_dirty_log(struct race *r, const struct raced_slot *s)
{
	const bool readonly = s->flags & KVM_MEM_READONLY;
	uint64_t log = 0, want = readonly ? 0 : BIT(s->npages) - 1;

	kvm_vm_get_dirty_log(r->a.vm, s->id, &log);
	arena_hammer_wait(&r->a);
	kvm_vm_get_dirty_log(r->a.vm, s->id, &log);
	TEST_ASSERT(log == want,
		    "slot %u (%s) after update %u: vCPUs have written to each of its %zu pages since its dirty log was read: want pages 0x%lx in the log, got 0x%lx",
		    s->id, readonly ? "read-only" : "writable", r->updates, s->npages,
		    want, log);
}

static void look(struct race *r)
{
	struct raced_slot *s;

	arena_hammer_wait(&r->a);
	for (s = r->slots; s < r->slots + NR_SLOTS; s++) {
		check_used(r, s);
		patterned_mem_check(s->spare, "slot %u lost this memory, update %u",
				    s->id, r->updates);
	}
	s = &r->slots[random_below(NR_SLOTS)];
	if (s->present && s->flags & KVM_MEM_LOG_DIRTY_PAGES)
		check_dirty_log(r, s);
}

KVM_FIXTURE(vcpus);
FIXTURE_VARIANT(vcpus) {
	unsigned int nr;
	unsigned int rounds;
};

FIXTURE_VARIANT_ADD(vcpus, 1) { .nr = 1, .rounds = 20 };
FIXTURE_VARIANT_ADD(vcpus, 2) { .nr = 2, .rounds = 15 };
FIXTURE_VARIANT_ADD(vcpus, 4) { .nr = 4, .rounds = 6 };
FIXTURE_VARIANT_ADD(vcpus, 8) { .nr = 8, .rounds = 3 };

KVM_TEST_F(vcpus, see_each_update_at_once)
{
	uint64_t round, rounds = test_tries(variant->rounds);
	static struct race r;
	size_t burst;

	race_create(&r, variant->nr);
	arena_hammer_start(&r.a, GPA, WINDOW, r.what);
	for (round = 0; round < rounds; round++) {
		for (burst = 1 + random_below(MAX_BURST); burst; burst--)
			random_update(&r);
		look(&r);
	}
	arena_hammer_stop(&r.a);
	arena_check_neighbours(&r.a, "after %u updates", r.updates);
	arena_free(&r.a);
}

/* ---- updates and the host's memory management ---- */

#define BIG_SLOT	1
#define BIG_SIZE	(16 * SZ_1M)

static void guest_read_word(gva_t gva)
{
	for (;;)
		GUEST_SYNC(guest_read64(gva));
}

struct protector {
	struct backing_mem mem;
	_Atomic bool stop;
};

/* Nearly all the time, one invalidation of all the memory is under way. */
static void *protect(void *arg)
{
	struct protector *p = arg;
	unsigned int i;

	for (i = 0; !p->stop; i++) {
		TEST_ERROR_ON(mprotect(p->mem.hva, p->mem.size,
				       i % 2 ? PROT_READ | PROT_WRITE : PROT_READ), "mprotect");
		usleep(200);
	}
	return NULL;
}

/*
 * An invalidation must find the same slots when it ends as when it started, or KVM
 * counts one that never ends: no vCPU can fault in anything any more.
 */
KVM_TEST(updates_wait_for_invalidations)
{
	struct protector p = {};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	pthread_t thread;
	unsigned int i;
	int ret;

	vm = vm_create_with_one_vcpu(&vcpu, guest_read_word);
	virt_pg_map(vm, GPA, GPA);
	vcpu_args_set(vcpu, 1, GPA);
	backing_mem_alloc(&p.mem, VM_MEM_SRC_ANONYMOUS, BIG_SIZE, GPA);
	memset(p.mem.hva, 0x5a, p.mem.size);
	breadcrumb("slots come and go while the host changes the protection of their memory");
	errno = pthread_create(&thread, NULL, protect, &p);
	TEST_ERROR_ON(errno, "cannot start a thread");
	for (i = 0; i < test_tries(20); i++) {
		vm_mem_region_add_backing(vm, &p.mem, p.mem.hva, GPA, BIG_SLOT,
					  BIG_SIZE / PAGE_SIZE, 0);
		usleep(test_random() % 1000);
		vm_mem_region_delete(vm, BIG_SLOT);
		usleep(test_random() % 1000);
	}
	p.stop = true;
	pthread_join(thread, NULL);
	vm_mem_region_add_backing(vm, &p.mem, p.mem.hva, GPA, BIG_SLOT, BIG_SIZE / PAGE_SIZE, 0);
	ret = __vcpu_run_for(vcpu, test_seconds(1) * 1000);
	TEST_ASSERT_ORACLE(ORACLE_HANG, ret >= 0 || errno != EINTR,
			   "gpa 0x%lx: a read has taken %u s, after %u times that a slot was created and deleted: an invalidation that started without the slot, or ended without it?",
			   GPA, test_seconds(1), i);
	vcpu_check_exit(vcpu, ret);
	kvm_vm_free(vm);
	backing_mem_free(&p.mem);
}

KVM_TEST_MAIN()
