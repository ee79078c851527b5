// SPDX-License-Identifier: GPL-2.0-only
/*
 * An update of the memslots waits for a vCPU that sleeps in a fault. A slot that is to go
 * is marked as invalid by then, and what is mapped of it has yet to be zapped: what a
 * vCPU does to that memory meanwhile is done, or waits until the slot is gone; it is no
 * MMIO before that. A fault that has the slot of before leaves nothing behind that
 * is as it was: no mapping, and no page that can be written to without a trace.
 *
 * What breaks this: an update that does not wait, or zaps or write-protects before it has
 * waited; a fault that takes an invalid slot for none; a notifier that passes over it.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "kvm_test_harness.h"
#include "userfault.h"

KVM_TEST_SUITE(memslot_wait_test, .needs = { .mem_mb = 16 },
	.fixes = FIXES("e0c378684b65 KVM: x86/mmu: Retry page faults that hit an invalid memslot"));

/* In the arena: the slot, where it may move, and the page that is missing. */
#define SLOT		1
#define NPAGES		4UL
#define GPA		ARENA_GPA
#define MOVED_GPA	(GPA + 2 * NPAGES * PAGE_SIZE)
#define MISSING_SLOT	2
#define MISSING_GPA	(GPA + 4 * NPAGES * PAGE_SIZE)
#define WINDOW		(5 * NPAGES)

#define PAGE		1UL
#define OFFSET		(PAGE * PAGE_SIZE + 0xc00)
#define WRITTEN		0x600d5107

#define SLEEPER		1	/* a vCPU; the other is a probe */
/* Microseconds. What has not come so far by then lets a case pass. */
#define UNTIL_IT_WAITS	50000

enum page_state {
	PAGE_UNUSED,
	PAGE_MAPPED,
	PAGE_EXCHANGED,		/* by the host, while the update waits */
	PAGE_WRITE_PROTECTED,	/* by the dirty log, where that is not PML's */
	PAGE_ZERO,		/* the host's zero page, until it is written to */
};

FIXTURE_VARIANT(slot) {
	bool moves;
	enum page_state state;
	bool write;
};
KVM_FIXTURE(slot)
FIXTURE_VARIANT_ADD(slot, deleted_unused_read) { false, PAGE_UNUSED, false };
FIXTURE_VARIANT_ADD(slot, deleted_unused_write) { false, PAGE_UNUSED, true };
FIXTURE_VARIANT_ADD(slot, deleted_mapped_read) { false, PAGE_MAPPED, false };
FIXTURE_VARIANT_ADD(slot, deleted_exchanged_read) { false, PAGE_EXCHANGED, false };
FIXTURE_VARIANT_ADD(slot, deleted_protected_write) { false, PAGE_WRITE_PROTECTED, true };
FIXTURE_VARIANT_ADD(slot, deleted_zero_write) { false, PAGE_ZERO, true };
FIXTURE_VARIANT_ADD(slot, moved_unused_read) { true, PAGE_UNUSED, false };
FIXTURE_VARIANT_ADD(slot, moved_exchanged_write) { true, PAGE_EXCHANGED, true };
FIXTURE_VARIANT_ADD(slot, moved_protected_write) { true, PAGE_WRITE_PROTECTED, true };
FIXTURE_VARIANT_ADD(slot, moved_zero_write) { true, PAGE_ZERO, true };

/* In a thread of its own, as KVM may hold it up until the update is over. */
struct access {
	pthread_t thread;
	struct probe *p;
	gva_t gva;
	bool write;
	struct probe_result result;
	_Atomic bool done;
};

static void *do_access(void *arg)
{
	struct access *a = arg;

	a->result = a->write ? probe_write(a->p, a->gva, 8, WRITTEN) : probe_read(a->p, a->gva, 8);
	a->done = true;
	return NULL;
}

static void guest_access(gva_t gva, bool write)
{
	uint64_t value = WRITTEN;

	/* Once: behind it the slot may be gone. */
	if (write)
		guest_write64(gva, value);
	else
		value = guest_read64(gva);
	GUEST_SYNC(value);
}

static void sleep_in_fault(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
}

/* A vCPU whose access to @gva sleeps until the page of @mem there is given; the uffd. */
static int sleeper_start(struct arena *a, gva_t gva, bool write, const struct backing_mem *mem)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(a->vm, SLEEPER, guest_access);
	int fd;

	vcpu_args_set(vcpu, 2, gva, (uint64_t)write);
	vcpu_sleep_in_faults(vcpu);
	fd = userfault_open(mem, UFFDIO_REGISTER_MODE_MISSING);
	userfault_take_away(mem);
	vcpu_thread_start(vcpu, sleep_in_fault);
	userfault_wait(fd, mem, 0);
	return fd;
}

static void give_all(int fd, const struct patterned_mem *m)
{
	size_t page;

	for (page = 0; page < m->mem.size / PAGE_SIZE; page++)
		userfault_give(fd, &m->mem, page, m->want);
}

/* Its access is done, @value read or written; false: it was MMIO. */
static bool sleeper_access(struct arena *a, uint64_t *value)
{
	struct kvm_vcpu *vcpu = a->vm->vcpus[SLEEPER];
	struct ucall uc;

	vcpu_thread_join(vcpu);
	if (vcpu->run->exit_reason == KVM_EXIT_MMIO)
		return false;
	if (get_ucall(vcpu, &uc) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "a vCPU to read memory, or a gap");
	*value = uc.args[0];
	return true;
}

struct update {
	pthread_t thread;
	struct arena *a;
	bool moves;
	_Atomic bool done;
};

static void *do_update(void *arg)
{
	struct update *u = arg;

	if (u->moves)
		arena_move(u->a, SLOT, MOVED_GPA);
	else
		vm_mem_region_delete(u->a->vm, SLOT);
	u->done = true;
	return NULL;
}

static const char *update_name(bool moves)
{
	return moves ? "moved" : "deleted";
}

static void start(pthread_t *thread, void *(*fn)(void *arg), void *arg)
{
	errno = pthread_create(thread, NULL, fn, arg);
	TEST_ERROR_ON(errno, "cannot start a thread");
}

static void *page_hva(struct patterned_mem *m)
{
	return (char *)m->mem.hva + PAGE * PAGE_SIZE;
}

static void page_is_zero(struct patterned_mem *m)
{
	memset((char *)m->want + PAGE * PAGE_SIZE, 0, PAGE_SIZE);
}

static void prepare_page(struct arena *a, struct patterned_mem *m, enum page_state state)
{
	struct probe *p = &a->probes[0];
	uint64_t log;

	switch (state) {
	case PAGE_UNUSED:
		break;
	case PAGE_MAPPED:
	case PAGE_EXCHANGED:
		probe_write_mem(p, GPA, m, 0, NPAGES);
		break;
	case PAGE_WRITE_PROTECTED:
		vm_mem_region_set_flags(a->vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		probe_write_mem(p, GPA, m, 0, NPAGES);
		kvm_vm_get_dirty_log(a->vm, SLOT, &log);
		break;
	case PAGE_ZERO:
		TEST_ERROR_ON(madvise(page_hva(m), PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		page_is_zero(m);
		probe_expect_ram(p, GPA + OFFSET, 0);
		break;
	}
}

static void check_it_waits(const struct update *u)
{
	TEST_ASSERT(!u->done, "a vCPU's fault is under way with the memslots of before, and KVM_SET_USER_MEMORY_REGION has returned");
}

/* It was memory, or after the update a gap; in either case with all that belongs to it. */
static void check_access(const struct access *a, struct patterned_mem *m)
{
	struct probe_result r = a->result;
	uint64_t was;

	memcpy(&was, (char *)m->want + OFFSET, sizeof(was));
	if (r.outcome == PROBE_RAM && a->write)
		patterned_mem_wrote(m, OFFSET, sizeof(uint64_t), WRITTEN);
	if (r.outcome == PROBE_RAM && (a->write || r.value == was))
		return;
	if (r.outcome != PROBE_MMIO)
		probe_unexpected(a->p, a->gva, &r, "the slot's memory, or the gap that comes after it");
	TEST_ASSERT(r.mmio.gpa == a->gva && r.mmio.is_write == a->write,
		    "a %s at gpa 0x%lx exited as a %s at gpa 0x%lx", a->write ? "write" : "read",
		    a->gva, r.mmio.is_write ? "write" : "read", r.mmio.gpa);
}

static void create(struct arena *a, struct patterned_mem *m)
{
	arena_create(a, 1, WINDOW);
	patterned_mem_alloc(m, VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE, GPA,
			    (struct pattern){ 1, SLOT });
	arena_add(a, m, GPA, SLOT, 0);
}

/* The update is over, and its slot can come back. */
static void check_update(struct arena *a, struct patterned_mem *m, bool moves)
{
	patterned_mem_check(m, "when its slot is %s", update_name(moves));
	arena_expect_gap(a, GPA, NPAGES);
	if (moves) {
		arena_expect_mem(a, MOVED_GPA, m, 0, NPAGES);
		arena_move(a, SLOT, GPA);
	} else {
		arena_add(a, m, GPA, SLOT, 0);
	}
	arena_expect_mem(a, GPA, m, 0, NPAGES);
	arena_check_neighbours(a, "after all");
}

KVM_TEST_F(slot, is_no_gap_before_it_is_gone)
{
	struct access access = { .gva = GPA + OFFSET, .write = variant->write };
	struct patterned_mem m, missing;
	static struct arena a;
	struct update update = { .a = &a, .moves = variant->moves };
	void *old = NULL;
	uint64_t value;
	int fd;

	create(&a, &m);
	access.p = &a.probes[0];
	prepare_page(&a, &m, variant->state);
	patterned_mem_alloc(&missing, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, MISSING_GPA,
			    (struct pattern){ 1, MISSING_SLOT });
	arena_add(&a, &missing, MISSING_GPA, MISSING_SLOT, 0);
	fd = sleeper_start(&a, MISSING_GPA, false, &missing.mem);
	breadcrumb("the slot is %s, and a vCPU that sleeps holds that up",
		   update_name(update.moves));
	start(&update.thread, do_update, &update);
	usleep(UNTIL_IT_WAITS);
	if (variant->state == PAGE_EXCHANGED) {
		old = backing_exchange(page_hva(&m), PAGE_SIZE);
		page_is_zero(&m);
	}
	start(&access.thread, do_access, &access);
	usleep(UNTIL_IT_WAITS);
	check_it_waits(&update);
	if (access.done && access.result.outcome != PROBE_RAM)
		probe_unexpected(access.p, access.gva, &access.result,
				 "to wait, or the slot's memory: the update is not over");
	give_all(fd, &missing);
	pthread_join(update.thread, NULL);
	pthread_join(access.thread, NULL);
	TEST_ASSERT(sleeper_access(&a, &value) && value == patterned_mem_word0(&missing, 0),
		    "the vCPU that slept does not read 0x%lx at gpa 0x%lx",
		    patterned_mem_word0(&missing, 0), MISSING_GPA);
	check_access(&access, &m);
	check_update(&a, &m, update.moves);
	close(fd);
	if (old)
		munmap(old, PAGE_SIZE);
	arena_free(&a);
	patterned_mem_free(&m);
	patterned_mem_free(&missing);
}

/* ---- a fault of the slot's own sleeps ---- */

FIXTURE_VARIANT(fault) {
	bool moves, write;
};
KVM_FIXTURE(fault)
FIXTURE_VARIANT_ADD(fault, deleted_read) { false, false };
FIXTURE_VARIANT_ADD(fault, deleted_write) { false, true };
FIXTURE_VARIANT_ADD(fault, moved_read) { true, false };
FIXTURE_VARIANT_ADD(fault, moved_write) { true, true };

/*
 * It has the slot as it was. What it maps goes with the slot; what it has written by
 * then is in the memory.
 */
KVM_TEST_F(fault, of_the_slot_ends_with_it)
{
	const gpa_t gpa = GPA + OFFSET;
	uint64_t value, want = WRITTEN;
	static struct arena a;
	struct update update = { .a = &a, .moves = variant->moves };
	struct patterned_mem m;
	int fd;

	create(&a, &m);
	if (!variant->write)
		memcpy(&want, (char *)m.want + OFFSET, sizeof(want));
	fd = sleeper_start(&a, gpa, variant->write, &m.mem);
	breadcrumb("the slot is %s while a fault of its own sleeps", update_name(update.moves));
	start(&update.thread, do_update, &update);
	usleep(UNTIL_IT_WAITS);
	check_it_waits(&update);
	give_all(fd, &m);
	pthread_join(update.thread, NULL);
	if (sleeper_access(&a, &value)) {
		TEST_ASSERT(value == want, "the vCPU that slept reads 0x%lx at gpa 0x%lx, want 0x%lx",
			    value, gpa, want);
		if (variant->write)
			patterned_mem_wrote(&m, OFFSET, sizeof(want), want);
	}
	check_update(&a, &m, update.moves);
	close(fd);
	arena_free(&a);
	patterned_mem_free(&m);
}

/* ---- dirty logging ---- */

static uint64_t read_log(struct arena *a)
{
	uint64_t log = 0;

	kvm_vm_get_dirty_log(a->vm, SLOT, &log);
	return log;
}

static void *do_enable_log(void *arg)
{
	struct update *u = arg;

	vm_mem_region_set_flags(u->a->vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	u->done = true;
	return NULL;
}

/* Where its fault has found no log, the page must not stay writable. */
KVM_TEST(log_begins_while_a_write_sleeps)
{
	static struct arena a;
	struct update update = { .a = &a };
	struct patterned_mem m;
	uint64_t value, log;
	int fd;

	create(&a, &m);
	fd = sleeper_start(&a, GPA + OFFSET, true, &m.mem);
	breadcrumb("dirty logging is switched on while a write sleeps");
	start(&update.thread, do_enable_log, &update);
	usleep(UNTIL_IT_WAITS);
	check_it_waits(&update);
	give_all(fd, &m);
	pthread_join(update.thread, NULL);
	TEST_ASSERT(sleeper_access(&a, &value), "a write to a memslot that is there was MMIO");
	read_log(&a);
	breadcrumb("write once more");
	probe_write(&a.probes[0], GPA + OFFSET, 8, WRITTEN);
	log = read_log(&a);
	TEST_ASSERT(log == BIT(PAGE), "page %lu was written to: want 0x%lx in the log, got 0x%lx",
		    PAGE, BIT(PAGE), log);
	close(fd);
	arena_free(&a);
	patterned_mem_free(&m);
}

/* The store comes after the page is there, and the log was read before that. */
KVM_TEST(log_is_read_while_a_write_sleeps)
{
	static struct arena a;
	struct patterned_mem m;
	uint64_t value, log;
	int fd;

	create(&a, &m);
	vm_mem_region_set_flags(a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	fd = sleeper_start(&a, GPA + OFFSET, true, &m.mem);
	breadcrumb("the dirty log is read while a write sleeps");
	read_log(&a);
	give_all(fd, &m);
	TEST_ASSERT(sleeper_access(&a, &value), "a write to a memslot that is there was MMIO");
	log = read_log(&a);
	TEST_ASSERT(log == BIT(PAGE), "page %lu was written to since the log was read: want 0x%lx in it, got 0x%lx",
		    PAGE, BIT(PAGE), log);
	close(fd);
	arena_free(&a);
	patterned_mem_free(&m);
}

KVM_TEST_MAIN()
