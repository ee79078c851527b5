// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that KVM itself writes to for a vCPU, by a translation that it keeps: the
 * clock, steal time, the end-of-interrupt flag, what a guest of Xen's has. When the
 * memslot there goes, comes back with other memory or moves, or the host gives the page
 * up, KVM writes to what is there now, and to nothing else; where there is nothing, the
 * vCPU gets on without.
 *
 * What breaks this: a cached hva or pfn that outlives the memslot's generation or the
 * host's page, and is written through: somebody else's memory; a check of rights that
 * is made for the guest only; a flush that the CPU does, while shadow pages are not synced.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kvm_test_harness.h"
#include "kvm_writer.h"
#include "processor.h"
#include "smm.h"

KVM_TEST_SUITE(kvm_writer_test,
	.fixes = FIXES("c3c28d24d910 KVM: x86: do not report preemption if the steal time cache is stale",
		       "901d3765fa80 KVM: x86: revalidate steal time cache if MSR value changes",
		       "7e2175ebd695 KVM: x86: Fix recording of guest steal time / preempted status",
		       "b53e84eed08b KVM: x86: Unload MMU on guest TLB flush if TDP disabled to force MMU sync"));

#define SLOT		1
#define GPA		(2 * SZ_1G)
#define MOVED_GPA	(3 * SZ_1G)
#define NPAGES		16UL
#define SIZE		(NPAGES * PAGE_SIZE)
#define PLACE		(5 * PAGE_SIZE + XEN_EVENTS_OFFSET)	/* in the slot */
#define PLACE_SIZE	64UL
#define UNTOUCHED	0x24

#define STEAL_TIME_PREEMPTED	16	/* offset of a byte */
#define KVM_VCPU_FLUSH_TLB	BIT(1)
#define KVM_FEATURE_PV_TLB_FLUSH	BIT(9)

FIXTURE_VARIANT(writer) {
	enum kvm_writer w;
};
KVM_FIXTURE(writer)
FIXTURE_VARIANT_ADD(writer, clock) { KVM_WRITES_CLOCK };
FIXTURE_VARIANT_ADD(writer, steal_time) { KVM_WRITES_STEAL_TIME };
FIXTURE_VARIANT_ADD(writer, end_of_interrupt) { KVM_WRITES_END_OF_INTERRUPT };
FIXTURE_VARIANT_ADD(writer, xen_clock) { KVM_WRITES_XEN_CLOCK };
FIXTURE_VARIANT_ADD(writer, xen_events) { KVM_WRITES_XEN_EVENTS };
FIXTURE_VARIANT_ADD(writer, xen_run_state) { KVM_WRITES_XEN_RUN_STATE };

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

	__TEST_REQUIRE(kvm_writer_is_offered(writer), "needs %s, which KVM does not offer here",
		       kvm_writer_name(writer));
	w->w = writer;
	w->vm = vm_create_with_one_vcpu(&w->vcpu, guest_code);
	vm_kvm_writers_init(w->vm);
	for (i = 0; i < 2; i++) {
		backing_mem_alloc(&w->mem[i], VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
		memset(w->mem[i].hva, UNTOUCHED, SIZE);
	}
	vm_mem_region_add_backing(w->vm, &w->mem[0], w->mem[0].hva, GPA, SLOT, NPAGES, 0);
	vcpu_run_to_sync(w->vcpu, &uc);
	kvm_writer_start(w->vcpu, writer, GPA + PLACE);
}

static void world_free(struct world *w)
{
	kvm_vm_free(w->vm);
	backing_mem_free(&w->mem[0]);
	backing_mem_free(&w->mem[1]);
}

/* Where it may write, or elsewhere: is any byte not as it was? */
static bool was_written(struct world *w, unsigned int i, bool elsewhere)
{
	const char *mem = w->mem[i].hva;
	size_t n;

	for (n = 0; n < SIZE; n++)
		if (mem[n] != UNTOUCHED && (n - PLACE < PLACE_SIZE) != elsewhere)
			return true;
	return false;
}

static void kvm_turn(struct world *w)
{
	struct ucall uc;

	kvm_writer_trigger(w->vcpu, w->w);
	vcpu_run_to_sync(w->vcpu, &uc);
}

/* KVM has its turn, and must have written to memory @want, or to none (-1). */
static void run(struct world *w, int want, const char *when)
{
	int i;

	test_step("%s, %s", kvm_writer_name(w->w), when);
	for (i = 0; i < 2; i++)
		memset(w->mem[i].hva, UNTOUCHED, SIZE);
	kvm_turn(w);
	for (i = 0; i < 2; i++) {
		TEST_ASSERT(!was_written(w, i, true),
			    "%s: KVM has written to memory %d beside the %lu bytes at gpa 0x%lx", when,
			    i, PLACE_SIZE, GPA + PLACE);
		TEST_ASSERT(was_written(w, i, false) == (i == want),
			    "%s: KVM has %swritten to memory %d, which is %s gpa 0x%lx", when,
			    i == want ? "not " : "", i, i == want ? "at" : "not to be written at",
			    GPA + PLACE);
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

/* Nothing but the MSR changes. */
KVM_TEST_F(writer, goes_where_it_is_told)
{
	static const gpa_t gpas[] = { GPA, MOVED_GPA };
	struct world w;
	unsigned int i;

	world_create(&w, variant->w);
	vm_mem_region_add_backing(w.vm, &w.mem[1], w.mem[1].hva, MOVED_GPA, SLOT + 1, NPAGES, 0);
	run(&w, 0, "at first");
	for (i = 1; i < 6; i++) {
		breadcrumb("%s: the guest names another gpa, round %u", kvm_writer_name(w.w), i);
		kvm_writer_start(w.vcpu, w.w, gpas[i % 2] + PLACE);
		run(&w, i % 2, "another gpa is named");
	}
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

KVM_TEST_F(writer, leaves_a_readonly_slot_alone,
	   .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	struct world w;
	unsigned int i;

	world_create(&w, variant->w);
	for (i = 0; i < 4; i++) {
		run(&w, 0, "the slot is writable");
		breadcrumb("%s: a read-only slot, round %u", kvm_writer_name(w.w), i);
		vm_mem_region_delete(w.vm, SLOT);
		vm_mem_region_add_backing(w.vm, &w.mem[0], w.mem[0].hva, GPA, SLOT, NPAGES,
					  KVM_MEM_READONLY);
		run(&w, -1, "the slot is read-only");
		vm_mem_region_delete(w.vm, SLOT);
		add_slot(&w, 0, GPA);
	}
	world_free(&w);
}

/* Those that write once, when they are told where; KVM may refuse such a place. */
KVM_TEST(one_write_leaves_a_readonly_slot_alone,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_READONLY_MEM)))
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	struct backing_mem mem;
	struct ucall uc;
	enum kvm_writer w;
	unsigned int i;
	const char *p;
	int taken;

	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA);
	vcpu_run_to_sync(vcpu, &uc);
	for (i = 0; i < 4; i++) {
		memset(mem.hva, UNTOUCHED, SIZE);
		vm_mem_region_add_backing(vm, &mem, mem.hva, GPA, SLOT, NPAGES, KVM_MEM_READONLY);
		for (w = 0; w < KVM_WRITES_CLOCK; w++) {
			breadcrumb("%s in a read-only slot, round %u", kvm_writer_name(w), i);
			taken = __kvm_writer_start(vcpu, w, GPA + i * PAGE_SIZE);
			vcpu_run_to_sync(vcpu, &uc);
			for (p = mem.hva; p < (char *)mem.hva + SIZE; p++)
				TEST_ASSERT(*p == UNTOUCHED,
					    "%s, which KVM has %s: it has written to gpa 0x%lx of a read-only slot",
					    kvm_writer_name(w), taken ? "taken" : "refused",
					    GPA + (p - (char *)mem.hva));
			kvm_writer_stop(vcpu, w);
		}
		vm_mem_region_delete(vm, SLOT);
	}
	kvm_vm_free(vm);
	backing_mem_free(&mem);
}

/* A child keeps what was there when it was made. */
KVM_TEST_F(writer, leaves_a_childs_memory_alone)
{
	int status, go[2];
	struct world w;
	char byte;
	pid_t pid;

	world_create(&w, variant->w);
	run(&w, 0, "at first");
	/* Writable, so that KVM need not ask the host, and then shared. */
	memset(w.mem[0].hva, UNTOUCHED, SIZE);
	TEST_ERROR_ON(pipe(go), "pipe");
	pid = fork();
	TEST_ERROR_ON(pid < 0, "fork");
	if (!pid) {
		close(go[1]);
		(void)!read(go[0], &byte, 1);
		_exit(was_written(&w, 0, false) || was_written(&w, 0, true));
	}
	close(go[0]);
	breadcrumb("%s: a child shares the page", kvm_writer_name(w.w));
	kvm_turn(&w);
	TEST_ASSERT(was_written(&w, 0, false), "KVM does not write where a child shares the page");
	close(go[1]);
	TEST_ERROR_ON(waitpid(pid, &status, 0) != pid, "waitpid");
	TEST_ASSERT(WIFEXITED(status) && !WEXITSTATUS(status),
		    "KVM has written to the child's copy of gpa 0x%lx (status 0x%x)",
		    GPA + PLACE, status);
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

	world_create(&w, variant->w);
	run(&w, 0, "at first");
	TEST_ERROR_ON(munmap((char *)w.mem[0].hva + align_down(PLACE, PAGE_SIZE), PAGE_SIZE),
		      "munmap");
	breadcrumb("%s: no memory behind the slot", kvm_writer_name(w.w));
	kvm_turn(&w);
	vm_mem_region_delete(w.vm, SLOT);
	kvm_turn(&w);
	world_free(&w);
}

/* ---- across the end of a page ---- */

#define HALF_PAGES	256UL		/* of a large page of the host's */
#define CLOCK_BYTES	32UL

/*
 * The clock may be anywhere. KVM may leave it alone if it is not within a page, but
 * it must not write to what comes after the page in the host, here the other half of
 * a large page, which is not the guest's.
 */
KVM_TEST(clock_across_the_end_of_a_slot, .huge_2m = 1)
{
	const size_t size = HALF_PAGES * PAGE_SIZE;
	struct backing_mem mem;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	struct ucall uc;
	unsigned int i;
	size_t before, n;
	char *hva;

	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, SZ_2M, GPA);
	hva = mem.hva;
	vm_mem_region_add_backing(vm, &mem, hva, GPA, SLOT, HALF_PAGES, 0);
	for (i = 0; i < 2; i++) {
		/* A slot comes behind it in the second round, but not that memory. */
		if (i)
			vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA + size,
						    SLOT + 1, 1, 0);
		for (before = 4; before < CLOCK_BYTES; before += 4) {
			memset(hva, UNTOUCHED, SZ_2M);
			test_step("clock %zu bytes before the end of a slot", before);
			kvm_writer_start(vcpu, KVM_WRITES_CLOCK, GPA + size - before);
			kvm_writer_trigger(vcpu, KVM_WRITES_CLOCK);
			vcpu_run_to_sync(vcpu, &uc);
			for (n = 0; n < SZ_2M; n++)
				TEST_ASSERT(hva[n] == UNTOUCHED ||
					    (n >= size - before && n < size),
					    "a clock at the last %zu bytes of a slot of 0x%zx: KVM has written to the byte at 0x%zx",
					    before, size, n);
		}
	}
	kvm_vm_free(vm);
	backing_mem_free(&mem);
}

/* ---- the local APIC's task priority, for a guest that does not exit ---- */

#define APIC_TPR	0x80
#define APIC_SPIV	0xf0
#define APIC_IRR_0x80	0x240
#define VAPIC_BYTES	4

static void set_tpr_and_irr(struct kvm_vcpu *vcpu, uint8_t tpr, bool irr)
{
	struct kvm_lapic_state state;

	vcpu_ioctl(vcpu, KVM_GET_LAPIC, &state);
	*(uint32_t *)&state.regs[APIC_SPIV] = 0x1ff;
	*(uint32_t *)&state.regs[APIC_TPR] = tpr;
	*(uint32_t *)&state.regs[APIC_IRR_0x80] = irr;
	vcpu_ioctl(vcpu, KVM_SET_LAPIC, &state);
}

/* Two slots that are neighbours for the guest only; memory behind each is nobody's. */
KVM_TEST(task_priority_across_slots, .caps = NEED_CAPS(NEED_CAP(KVM_CAP_VAPIC)))
{
	struct kvm_vapic_addr addr;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	uint8_t *mem[2], got[VAPIC_BYTES], want[VAPIC_BYTES] = { 0xe0, 0, 0, 0x80 };
	struct backing_mem backing[2];
	struct ucall uc;
	unsigned int i, j, in_first;
	size_t n;

	vcpu_run_to_sync(vcpu, &uc);
	for (i = 0; i < 2; i++) {
		backing_mem_alloc(&backing[i], VM_MEM_SRC_ANONYMOUS, 3 * PAGE_SIZE, 0);
		/* The middle one of three pages. */
		mem[i] = (uint8_t *)backing[i].hva + PAGE_SIZE;
		vm_mem_region_add_backing(vm, &backing[i], mem[i], GPA + i * PAGE_SIZE, SLOT + i,
					  1, 0);
	}
	for (in_first = 0; in_first <= VAPIC_BYTES; in_first++) {
		addr.vapic_addr = GPA + PAGE_SIZE - in_first;
		vcpu_ioctl(vcpu, KVM_SET_VAPIC_ADDR, &addr);
		for (j = 0; j < 3; j++) {
			test_step("task priority at gpa 0x%llx", addr.vapic_addr);
			for (i = 0; i < 2; i++)
				memset(backing[i].hva, UNTOUCHED, 3 * PAGE_SIZE);
			set_tpr_and_irr(vcpu, 0xe0, true);
			vcpu_run_to_sync(vcpu, &uc);
			for (n = 0; n < VAPIC_BYTES; n++)
				got[n] = n < in_first ? mem[0][PAGE_SIZE - in_first + n] :
							mem[1][n - in_first];
			TEST_ASSERT(!memcmp(got, want, VAPIC_BYTES),
				    "KVM was told gpa 0x%llx for task priority 0xe0 and vector 0x80, and writes %02x %02x %02x %02x there, want %02x %02x %02x %02x",
				    addr.vapic_addr, got[0], got[1], got[2], got[3], want[0],
				    want[1], want[2], want[3]);
			for (i = 0; i < 2; i++) {
				uint8_t *all = backing[i].hva;

				for (n = 0; n < 3 * PAGE_SIZE; n++)
					TEST_ASSERT((n >= PAGE_SIZE && n < 2 * PAGE_SIZE) ||
						    all[n] == UNTOUCHED,
						    "KVM was told gpa 0x%llx, and has written to memory beside slot %u, at 0x%zx",
						    addr.vapic_addr, SLOT + i, n);
			}
			vm_mem_region_reload(vm, SLOT + j % 2);
		}
	}
	addr.vapic_addr = 0;
	vcpu_ioctl(vcpu, KVM_SET_VAPIC_ADDR, &addr);
	kvm_vm_free(vm);
	backing_mem_free(&backing[0]);
	backing_mem_free(&backing[1]);
}

/* ---- Xen's run state, which may be anywhere ---- */

#define RUN_STATE_BYTES	44UL	/* of a guest of 32 bits, which all are at first */

static void expect_run_state(struct kvm_vcpu *vcpu, const uint8_t *got)
{
	struct kvm_xen_vcpu_attr want = { .type = KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA };
	struct {
		uint32_t state;
		uint64_t times[5];	/* since when, and how long in each state */
	} __attribute__((packed)) in_memory;
	unsigned int i;

	vcpu_ioctl(vcpu, KVM_XEN_VCPU_GET_ATTR, &want);
	memcpy(&in_memory, got, sizeof(in_memory));
	TEST_ASSERT(in_memory.state == want.u.runstate.state,
		    "run state %u in memory, the vCPU's is %llu", in_memory.state,
		    want.u.runstate.state);
	for (i = 0; i < ARRAY_SIZE(in_memory.times); i++)
		TEST_ASSERT(in_memory.times[i] == (&want.u.runstate.state_entry_time)[i],
			    "time %u of the run state is 0x%lx in memory, the vCPU's is 0x%llx", i,
			    in_memory.times[i], (&want.u.runstate.state_entry_time)[i]);
}

/* Two slots that are neighbours for the guest only; memory behind each is nobody's. */
KVM_TEST(xen_run_state_across_slots)
{
	const size_t size = 3 * PAGE_SIZE;
	unsigned int i, in_first;
	struct backing_mem mem[2];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	uint8_t *at[2], got[RUN_STATE_BYTES];
	uint64_t log;
	size_t n;

	__TEST_REQUIRE(kvm_writer_is_offered(KVM_WRITES_XEN_RUN_STATE),
		       "needs %s, which KVM does not offer here",
		       kvm_writer_name(KVM_WRITES_XEN_RUN_STATE));
	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vcpu_run_to_sync(vcpu, &uc);
	for (i = 0; i < 2; i++) {
		backing_mem_alloc(&mem[i], VM_MEM_SRC_ANONYMOUS, size, 0);
		/* The middle one of three pages. */
		at[i] = (uint8_t *)mem[i].hva + PAGE_SIZE;
		vm_mem_region_add_backing(vm, &mem[i], at[i], GPA + i * PAGE_SIZE, SLOT + i, 1,
					  KVM_MEM_LOG_DIRTY_PAGES);
	}
	for (in_first = 0; in_first <= RUN_STATE_BYTES; in_first++) {
		const size_t in[2] = { in_first, RUN_STATE_BYTES - in_first };

		test_step("Xen's run state with %u bytes in the first slot", in_first);
		kvm_writer_start(vcpu, KVM_WRITES_XEN_RUN_STATE, GPA + PAGE_SIZE - in_first);
		vm_mem_region_reload(vm, SLOT + in_first % 2);
		for (i = 0; i < 2; i++) {
			memset(mem[i].hva, UNTOUCHED, size);
			kvm_vm_get_dirty_log(vm, SLOT + i, &log);
		}
		vcpu_run_to_sync(vcpu, &uc);
		for (i = 0; i < 2; i++) {
			const size_t start = i ? PAGE_SIZE : 2 * PAGE_SIZE - in[0];
			const uint8_t *all = mem[i].hva;

			for (n = 0; n < size; n++)
				TEST_ASSERT(n - start < in[i] || all[n] == UNTOUCHED,
					    "%u bytes in the first slot: KVM has written beside them, to memory %u at 0x%zx",
					    in_first, i, n);
			memcpy(got + (i ? in[0] : 0), all + start, in[i]);
			kvm_vm_get_dirty_log(vm, SLOT + i, &log);
			TEST_ASSERT_ORACLE(ORACLE_DATA, log == !!in[i],
					   "%u bytes in the first slot: KVM has written %zu bytes to slot %u, whose dirty log is 0x%lx",
					   in_first, in[i], SLOT + i, log);
		}
		expect_run_state(vcpu, got);
		kvm_writer_stop(vcpu, KVM_WRITES_XEN_RUN_STATE);
	}
	kvm_vm_free(vm);
	backing_mem_free(&mem[0]);
	backing_mem_free(&mem[1]);
}

/* ---- a flush that is asked for in the steal time ---- */

#define FLUSH_GVA	0x100000000000UL
#define TABLE_GVA	0x200000000000UL
#define PAGE_VALUE(n)	(0x1111111111111111UL * ((n) + 1))

/* Changes the entry, and reads only when the host has had the TLB flushed. */
static void guest_edits(uint64_t pte_gva, uint64_t entry0, uint64_t entry1)
{
	uint64_t round, entry[2] = { entry0, entry1 };

	for (round = 0;; round++) {
		GUEST_SYNC_ARGS(1, guest_read64(FLUSH_GVA), round, 0, 0);
		guest_write64(pte_gva, entry[!(round & 1)]);
		GUEST_SYNC(2);
	}
}

static bool kvm_has_pv_flush(void)
{
	const struct kvm_cpuid_entry2 *e =
		get_cpuid_entry(kvm_get_supported_cpuid(), CPUID_KVM_FEATURES, 0);

	return e && e->eax & KVM_FEATURE_PV_TLB_FLUSH;
}

KVM_TEST(flush_by_steal_time_is_one)
{
	gpa_t page[2], pte, steal;
	volatile uint8_t *preempted;
	struct kvm_vcpu *vcpu;
	unsigned int round, i;
	struct kvm_vm *vm;
	struct ucall uc;
	uint64_t entry;

	__TEST_REQUIRE(kvm_has_pv_flush(), "this KVM offers no PV TLB flush");
	require_guest_flush_that_syncs();
	vm = vm_create_with_one_vcpu(&vcpu, guest_edits);
	for (i = 0; i < 2; i++) {
		page[i] = vm_phy_pages_alloc(vm, 1);
		*(uint64_t *)addr_gpa2hva(vm, page[i]) = PAGE_VALUE(i);
	}
	steal = vm_phy_pages_alloc(vm, 1);
	virt_pg_map(vm, FLUSH_GVA, page[0]);
	pte = vm_entry_gpa(vm, FLUSH_GVA, PG_LEVEL_4K);
	virt_pg_map(vm, TABLE_GVA, align_down(pte, PAGE_SIZE));
	entry = *(uint64_t *)addr_gpa2hva(vm, pte) & ~PHYSICAL_PAGE_MASK;
	entry |= PTE_ACCESSED_MASK | PTE_DIRTY_MASK;
	vcpu_args_set(vcpu, 3, TABLE_GVA + pte % PAGE_SIZE, page[0] | entry, page[1] | entry);
	TEST_ASSERT_EQ(kvm_writer_start(vcpu, KVM_WRITES_STEAL_TIME, steal), true);
	preempted = (uint8_t *)addr_gpa2hva(vm, steal) + STEAL_TIME_PREEMPTED;
	for (round = 0; round < 32; round++) {
		vcpu_run_to_sync(vcpu, &uc);
		TEST_ASSERT(uc.args[0] == 1 && uc.args[1] == PAGE_VALUE(round & 1),
			    "round %u: the guest reads 0x%lx, want 0x%lx of the page that it has mapped since; KVM flushed the TLB for it",
			    round, uc.args[1], PAGE_VALUE(round & 1));
		vcpu_expect_sync(vcpu, 2);
		test_step("round %u: ask for a flush", round);
		*preempted = KVM_VCPU_FLUSH_TLB;
	}
	vcpu_run_to_sync(vcpu, &uc);
	TEST_ASSERT(!*preempted, "KVM has left \"preempted\" at 0x%x", *preempted);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
