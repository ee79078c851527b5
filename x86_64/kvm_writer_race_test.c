// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that KVM has mapped for itself and writes to all the time, from one thread,
 * while another takes that memory away, or tells KVM to write elsewhere. When that call
 * returns, KVM writes to what is there then, and to nothing else.
 *
 * What breaks this: a mapping that is made of a page while the host takes it away, or of
 * the place of before, and is taken for valid; one that two make at once.
 */
#include <sched.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "kvm_writer.h"

KVM_TEST_SUITE(kvm_writer_race_test,
	.fixes = FIXES("58cd407ca4c6 KVM: Fix multiple races in gfn=>pfn cache refresh",
		       "93984f19e7bc KVM: Fully serialize gfn=>pfn cache refresh via mutex"));

#define SLOT		1
#define GPA		(2 * SZ_1G)
#define SIZE		(4 * SZ_2M)
/* The last page is KVM's, or the one before. */
#define PAGE_OFFSET(i)	(SIZE - (1 + (i)) * PAGE_SIZE)
#define PLACE_SIZE	64UL
#define READER_PAGES	16
#define UNTOUCHED	0x24

FIXTURE_VARIANT(mapping) {
	enum kvm_writer w;
};
KVM_FIXTURE(mapping)
FIXTURE_VARIANT_ADD(mapping, clock) { KVM_WRITES_CLOCK };
FIXTURE_VARIANT_ADD(mapping, xen_events) { KVM_WRITES_XEN_EVENTS };

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static void guest_reader(gva_t gva)
{
	unsigned int i;

	for (i = 0;; i = (i + 1) % READER_PAGES) {
		(void)*(volatile uint64_t *)(gva + i * PAGE_SIZE);
		cpu_relax();
	}
}

struct world {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu, *reader;
	enum kvm_writer w;
	struct backing_mem mem;
	_Atomic unsigned long turns;
};

static void take_turns(struct kvm_vcpu *vcpu)
{
	struct world *w = vcpu->thread_data;

	do {
		kvm_writer_trigger(vcpu, w->w);
		w->turns++;
	} while (vcpu_run_unless_stopped(vcpu));
}

static void read_on(struct kvm_vcpu *vcpu)
{
	while (vcpu_run_unless_stopped(vcpu))
		;
}

/* Another vCPU has pages of that memory in its TLB: who takes them away waits for it. */
static void reader_start(struct world *w)
{
	w->reader = vm_vcpu_add(w->vm, 1, guest_reader);
	vcpu_args_set(w->reader, 1, vm_map_gpa(w->vm, GPA, READER_PAGES * PAGE_SIZE));
	vcpu_thread_start(w->reader, read_on);
}

static gpa_t place(unsigned int i)
{
	return GPA + PAGE_OFFSET(i) + XEN_EVENTS_OFFSET;
}

static void world_create(struct world *w, enum kvm_writer writer)
{
	struct ucall uc;

	__TEST_REQUIRE(kvm_writer_is_offered(writer), "needs %s, which KVM does not offer here",
		       kvm_writer_name(writer));
	w->w = writer;
	w->reader = NULL;
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_code);
	vm_kvm_writers_init(w->vm);
	backing_mem_alloc(&w->mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
	vm_mem_region_add_backing(w->vm, &w->mem, w->mem.hva, GPA, SLOT, SIZE / PAGE_SIZE, 0);
	memset(w->mem.hva, UNTOUCHED, SIZE);
	vcpu_run_to_sync(w->vcpu, &uc);
	kvm_writer_start(w->vcpu, writer, place(0));
	w->turns = 0;
	w->vcpu->thread_data = w;
	vcpu_thread_start(w->vcpu, take_turns);
}

static void world_free(struct world *w)
{
	if (w->reader)
		vcpu_thread_stop(w->reader);
	vcpu_thread_stop(w->vcpu);
	kvm_vm_free(w->vm);
	backing_mem_free(&w->mem);
}

/* One that has begun since is over. */
static void wait_for_a_turn(struct world *w)
{
	unsigned long before = w->turns;

	while (w->turns < before + 2)
		sched_yield();
}

static char *page(struct world *w, unsigned int i)
{
	return (char *)w->mem.hva + PAGE_OFFSET(i);
}

static bool was_written(struct world *w, unsigned int i, char untouched)
{
	const char *at = page(w, i) + XEN_EVENTS_OFFSET;
	size_t n;

	for (n = 0; n < PLACE_SIZE; n++)
		if (at[n] != untouched)
			return true;
	return false;
}

/*
 * Of many pages that the host takes away at once, KVM's is the last: it has lost it when
 * that begins, and looks for it again while it is still there.
 */
KVM_TEST_F(mapping, is_not_made_of_a_page_that_goes)
{
	struct world w;
	unsigned int i;
	size_t offset;

	world_create(&w, variant->w);
	reader_start(&w);
	breadcrumb("%s: take memory away, again and again", kvm_writer_name(w.w));
	for (i = 0; i < test_tries(40); i++) {
		for (offset = 0; offset < SIZE; offset += PAGE_SIZE)
			((volatile char *)w.mem.hva)[offset] = UNTOUCHED;
		wait_for_a_turn(&w);
		TEST_ERROR_ON(madvise(w.mem.hva, SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		wait_for_a_turn(&w);
		TEST_ASSERT(was_written(&w, 0, 0),
			    "%s: the host has another page at gpa 0x%lx, and KVM has not written there: it has one that was taken away (try %u)",
			    kvm_writer_name(w.w), place(0), i);
	}
	world_free(&w);
}

/* KVM writes to page @i, and to no other. */
static void expect_place(struct world *w, unsigned int i, const char *what, unsigned int try)
{
	wait_for_a_turn(w);
	memset(page(w, 1), UNTOUCHED, 2 * PAGE_SIZE);
	wait_for_a_turn(w);
	TEST_ASSERT(was_written(w, i, UNTOUCHED) && !was_written(w, !i, UNTOUCHED),
		    "%s, try %u: %s. KVM must write to gpa 0x%lx only; it writes there: %s, to gpa 0x%lx: %s",
		    kvm_writer_name(w->w), try, what, place(i),
		    was_written(w, i, UNTOUCHED) ? "yes" : "no", place(!i),
		    was_written(w, !i, UNTOUCHED) ? "yes" : "no");
}

KVM_TEST_F(mapping, goes_where_it_is_told_at_once)
{
	unsigned int i, where = 0;
	struct world w;

	world_create(&w, variant->w);
	for (i = 0; i < test_tries(12); i++) {
		breadcrumb("%s: told elsewhere, try %u", kvm_writer_name(w.w), i);
		where = !where;
		kvm_writer_start(w.vcpu, w.w, place(where));
		expect_place(&w, where, "it was told another gpa", i);
		vm_mem_region_reload(w.vm, SLOT);
		expect_place(&w, where, "the memslot was deleted and is back", i);
		TEST_ERROR_ON(madvise(page(&w, 1), 2 * PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		expect_place(&w, where, "the host has new pages", i);
	}
	world_free(&w);
}

KVM_TEST_MAIN()
