// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot on its way out: it is marked as invalid, what is mapped of it has yet to be
 * zapped, and the update waits for a vCPU that sleeps in a fault of another slot. What
 * a vCPU does to that memory meanwhile is done, or waits until the slot is gone; it is
 * no MMIO before that, and leaves nothing behind for the slot that comes next.
 *
 * What breaks this: a fault that takes an invalid slot for none, and puts an MMIO SPTE
 * where one is mapped, or where there is memory again as soon as the update fails.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arena.h"
#include "kvm_test_harness.h"
#include "userfault.h"

KVM_TEST_SUITE(memslot_invalid_test, .needs = { .mem_mb = 16 },
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

/* Without an end where KVM lets it wait. */
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

static void guest_read_missing(void)
{
	GUEST_SYNC(guest_read64(MISSING_GPA));
}

static void sleep_in_fault(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
}

struct update {
	pthread_t thread;
	struct arena *a;
	bool moves;
};

static void *do_update(void *arg)
{
	struct update *u = arg;

	if (u->moves)
		arena_move(u->a, SLOT, MOVED_GPA);
	else
		vm_mem_region_delete(u->a->vm, SLOT);
	return NULL;
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

KVM_TEST_F(slot, is_no_gap_before_it_is_gone)
{
	struct access access = { .gva = GPA + OFFSET, .write = variant->write };
	struct patterned_mem m, missing;
	static struct arena a;
	struct update update = { .a = &a, .moves = variant->moves };
	struct kvm_vcpu *sleeper;
	struct ucall uc;
	void *old = NULL;
	int fd;

	arena_create(&a, 1, WINDOW);
	access.p = &a.probes[0];
	sleeper = vm_vcpu_add(a.vm, 1, guest_read_missing);
	vcpu_sleep_in_faults(sleeper);
	patterned_mem_alloc(&m, VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE, GPA,
			    (struct pattern){ 1, SLOT });
	patterned_mem_alloc(&missing, VM_MEM_SRC_ANONYMOUS, PAGE_SIZE, MISSING_GPA,
			    (struct pattern){ 1, MISSING_SLOT });
	arena_add(&a, &m, GPA, SLOT, 0);
	arena_add(&a, &missing, MISSING_GPA, MISSING_SLOT, 0);
	prepare_page(&a, &m, variant->state);

	fd = userfault_open(&missing.mem, UFFDIO_REGISTER_MODE_MISSING);
	userfault_take_away(&missing.mem);
	vcpu_thread_start(sleeper, sleep_in_fault);
	userfault_wait(fd, &missing.mem, 0);
	breadcrumb("the slot is %s, and a vCPU that sleeps holds that up",
		   variant->moves ? "moved" : "deleted");
	start(&update.thread, do_update, &update);
	/* Until each of them waits. Where it has not come so far this case cannot fail. */
	usleep(50000);
	if (variant->state == PAGE_EXCHANGED) {
		old = backing_exchange(page_hva(&m), PAGE_SIZE);
		page_is_zero(&m);
	}
	start(&access.thread, do_access, &access);
	usleep(50000);
	if (access.done && access.result.outcome != PROBE_RAM)
		probe_unexpected(access.p, access.gva, &access.result,
				 "to wait, or the slot's memory: the update is not over");
	userfault_give(fd, &missing.mem, 0, missing.want);
	vcpu_thread_join(sleeper);
	pthread_join(update.thread, NULL);
	pthread_join(access.thread, NULL);

	TEST_ASSERT(get_ucall(sleeper, &uc) == UCALL_SYNC && uc.args[0] == patterned_mem_word0(&missing, 0),
		    "the vCPU that slept reads 0x%lx at gpa 0x%lx, want 0x%lx", uc.args[0],
		    MISSING_GPA, patterned_mem_word0(&missing, 0));
	check_access(&access, &m);
	patterned_mem_check(&m, "when its slot is %s", variant->moves ? "moved" : "deleted");
	arena_expect_gap(&a, GPA, NPAGES);
	if (variant->moves) {
		arena_expect_mem(&a, MOVED_GPA, &m, 0, NPAGES);
		arena_move(&a, SLOT, GPA);
	} else {
		arena_add(&a, &m, GPA, SLOT, 0);
	}
	arena_expect_mem(&a, GPA, &m, 0, NPAGES);
	arena_check_neighbours(&a, "after all");
	close(fd);
	if (old)
		munmap(old, PAGE_SIZE);
	arena_free(&a);
	patterned_mem_free(&m);
	patterned_mem_free(&missing);
}

KVM_TEST_MAIN()
