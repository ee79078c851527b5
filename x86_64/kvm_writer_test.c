// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that KVM itself writes to for a vCPU, by a translation that it keeps: the
 * clock, steal time, the end-of-interrupt flag. When the memslot there goes, comes back
 * with other memory or moves, or the host gives the page up, KVM writes to what is
 * there now, and to nothing else; where there is nothing, the vCPU gets on without.
 *
 * What breaks this: a cached hva or pfn that outlives the memslot's generation or the
 * host's page, and is written through: somebody else's memory.
 */
#include <string.h>
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "kvm_writer.h"
#include "smm.h"

KVM_TEST_SUITE(kvm_writer_test,
	.fixes = FIXES("c3c28d24d910 KVM: x86: do not report preemption if the steal time cache is stale",
		       "7e2175ebd695 KVM: x86: Fix recording of guest steal time / preempted status"));

#define SLOT		1
#define GPA		(2 * SZ_1G)
#define MOVED_GPA	(3 * SZ_1G)
#define NPAGES		16UL
#define SIZE		(NPAGES * PAGE_SIZE)
#define PLACE		(5 * PAGE_SIZE + 0x40)	/* in the slot */
#define PLACE_SIZE	64UL
#define UNTOUCHED	0x24

FIXTURE_VARIANT(writer) {
	enum kvm_writer w;
};
KVM_FIXTURE(writer)
FIXTURE_VARIANT_ADD(writer, clock) { KVM_WRITES_CLOCK };
FIXTURE_VARIANT_ADD(writer, steal_time) { KVM_WRITES_STEAL_TIME };
FIXTURE_VARIANT_ADD(writer, end_of_interrupt) { KVM_WRITES_END_OF_INTERRUPT };

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

struct world {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	enum kvm_writer w;
	struct backing_mem mem[2];
};

/* Two pieces of memory, the first of which is the slot's. */
static void world_create(struct world *w, enum kvm_writer writer)
{
	struct ucall uc;
	unsigned int i;

	w->w = writer;
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_code);
	vm_kvm_writers_init(w->vm);
	for (i = 0; i < 2; i++) {
		backing_mem_alloc(&w->mem[i], VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
		memset(w->mem[i].hva, UNTOUCHED, SIZE);
	}
	vm_mem_region_add_backing(w->vm, &w->mem[0], w->mem[0].hva, GPA, SLOT, NPAGES, 0);
	vcpu_run_to_sync(w->vcpu, &uc);
	__TEST_REQUIRE(kvm_writer_start(w->vcpu, writer, GPA + PLACE),
		       "needs this writer of KVM's: %s", kvm_writer_name(writer));
}

static void world_free(struct world *w)
{
	kvm_vm_free(w->vm);
	backing_mem_free(&w->mem[0]);
	backing_mem_free(&w->mem[1]);
}

/* Which of the bytes are not as they were; @place is where KVM may write. */
static bool was_written(struct world *w, unsigned int i, bool elsewhere)
{
	const char *mem = w->mem[i].hva;
	size_t n;

	for (n = 0; n < SIZE; n++)
		if (mem[n] != UNTOUCHED && (n - PLACE < PLACE_SIZE) != elsewhere)
			return true;
	return false;
}

/* KVM has its turn, and must have written to memory @want, or to none (-1). */
static void run(struct world *w, int want, const char *when)
{
	struct ucall uc;
	int i;

	test_step("%s, %s", kvm_writer_name(w->w), when);
	for (i = 0; i < 2; i++)
		memset(w->mem[i].hva, UNTOUCHED, SIZE);
	kvm_writer_trigger(w->vcpu, w->w);
	vcpu_run_to_sync(w->vcpu, &uc);
	for (i = 0; i < 2; i++) {
		TEST_ASSERT(!was_written(w, i, true),
			    "%s: KVM has written to memory %d beside the %lu bytes that are its", when, i,
			    PLACE_SIZE);
		TEST_ASSERT(was_written(w, i, false) == (i == want),
			    "%s: KVM has %swritten to memory %d, which is %s", when,
			    i == want ? "not " : "", i,
			    i == want ? "at the gpa now" : "not at the gpa any more");
	}
}

static void add_slot(struct world *w, unsigned int i, gpa_t gpa)
{
	vm_mem_region_add_backing(w->vm, &w->mem[i], w->mem[i].hva, gpa, SLOT, NPAGES, 0);
}

KVM_TEST_F(writer, follows_the_memslots)
{
	struct world w;
	unsigned int i;

	world_create(&w, variant->w);
	run(&w, 0, "at first");
	for (i = 0; i < 4; i++) {
		breadcrumb("%s: slots change, round %u", kvm_writer_name(w.w), i);
		vm_mem_region_delete(w.vm, SLOT);
		add_slot(&w, 1, GPA);
		run(&w, 1, "the slot has other memory");
		vm_mem_region_delete(w.vm, SLOT);
		run(&w, -1, "the slot is deleted");
		add_slot(&w, 0, GPA);
		run(&w, 0, "the slot is back");
		vm_mem_region_move(w.vm, SLOT, MOVED_GPA);
		run(&w, -1, "the slot is elsewhere");
		vm_mem_region_move(w.vm, SLOT, GPA);
		run(&w, 0, "the slot has come back");
	}
	kvm_writer_stop(w.vcpu, w.w);
	run(&w, -1, "turned off");
	world_free(&w);
}

/* The host's page is another one, at the same address; memory 1 has the old one. */
KVM_TEST_F(writer, follows_the_hosts_memory)
{
	const size_t offset = align_down(PLACE, PAGE_SIZE);
	struct world w;
	unsigned int i;
	void *page, *old;

	world_create(&w, variant->w);
	page = (char *)w.mem[0].hva + offset;
	old = (char *)w.mem[1].hva + offset;
	run(&w, 0, "at first");
	for (i = 0; i < 4; i++) {
		breadcrumb("%s: host memory changes, round %u", kvm_writer_name(w.w), i);
		TEST_ERROR_ON(madvise(page, PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
		run(&w, 0, "the host has dropped the page");
		TEST_ERROR_ON(mremap(page, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				     old) != old, "cannot move the page");
		TEST_ERROR_ON(mmap(page, PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page,
			      "cannot map the page anew");
		run(&w, 0, "the host has moved the page elsewhere");
	}
	world_free(&w);
}

/* What is told outside SMM is of the slots that are there outside SMM. */
KVM_TEST_F(writer, is_not_of_smm, .caps = NEED_CAPS_SMM)
{
	struct world w;
	unsigned int i;

	world_create(&w, variant->w);
	vm_smm_init(w.vm);
	vm_mem_region_add_backing(w.vm, &w.mem[1], w.mem[1].hva, GPA, SMM_SLOT(SLOT), NPAGES, 0);
	run(&w, 0, "outside SMM");
	for (i = 0; i < 4; i++) {
		vcpu_set_smm(w.vcpu, true);
		run(&w, 0, "in SMM");
		vm_mem_region_reload(w.vm, SLOT);
		run(&w, 0, "in SMM, with a slot that is new");
		vcpu_set_smm(w.vcpu, false);
		run(&w, 0, "outside SMM");
	}
	world_free(&w);
}

/* The slots go while KVM is told to write; then the VM. */
KVM_TEST_F(writer, has_no_memory)
{
	struct world w;
	struct ucall uc;

	world_create(&w, variant->w);
	run(&w, 0, "at first");
	TEST_ERROR_ON(munmap((char *)w.mem[0].hva + align_down(PLACE, PAGE_SIZE), PAGE_SIZE),
		      "munmap");
	breadcrumb("%s: no memory behind the slot", kvm_writer_name(w.w));
	kvm_writer_trigger(w.vcpu, w.w);
	vcpu_run_to_sync(w.vcpu, &uc);
	vm_mem_region_delete(w.vm, SLOT);
	kvm_writer_trigger(w.vcpu, w.w);
	vcpu_run_to_sync(w.vcpu, &uc);
	world_free(&w);
}

KVM_TEST_MAIN()
