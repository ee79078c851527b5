// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who writes does not matter: a page that changes while its slot is logged is in
 * the dirty bitmap or in the dirty ring, and one that was only read is not. The
 * writers are the CPU's plain, locked and string stores; KVM's emulator, which
 * writes for an instruction that touches a gap as well; the CPU, or KVM shadowing
 * it, that sets accessed and dirty bits in guest page tables; and KVM itself.
 *
 * What breaks it: a path to guest memory without mark_page_dirty(), one that marks
 * the first page of two, one that marks what it has not written.
 */
#include <string.h>
#include <sys/mman.h>

#include "dirty_ring.h"
#include "guest_op.h"
#include "kvm_test_harness.h"
#include "kvm_writer.h"
#include "processor.h"

KVM_TEST_SUITE(dirty_writers_test, .needs = { .timeout = 10 });

#define SLOT		3
#define NR_PAGES	64UL
#define GPA		(2 * SZ_1G)
#define GAP		(GPA + NR_PAGES * PAGE_SIZE)
#define NR_GAP_PAGES	8
#define RING_SIZE	DIRTY_RING_MIN

#define PAGE(n)		(GPA + (n) * PAGE_SIZE)

FIXTURE_VARIANT(log) {
	bool ring;
};
KVM_FIXTURE(log)

FIXTURE_VARIANT_ADD(log, bitmap) { false };
FIXTURE_VARIANT_ADD(log, ring) { true };

struct log {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	bool has_ring;
	struct dirty_ring ring;
};

/* The pages that were logged since the last time, a bit each. */
static uint64_t log_drain(struct log *l)
{
	uint64_t bitmap = 0, page;
	uint32_t slot, n = 0;

	if (!l->has_ring) {
		kvm_vm_get_dirty_log(l->vm, SLOT, &bitmap);
		return bitmap;
	}
	for (; dirty_ring_pop(&l->ring, &slot, &page); n++) {
		TEST_ASSERT(slot == SLOT && page < NR_PAGES,
			    "the ring has page 0x%lx of slot 0x%x, which is not logged",
			    page, slot);
		bitmap |= BIT(page);
	}
	dirty_ring_reset(l->vm, n);
	return bitmap;
}

/* All pages are mapped for writing before: a read needs no page fault then. */
static void log_start(struct log *l)
{
	struct guest_op op = { .insn = INSN_MOV_WRITE, .len = 8 };

	for (op.gva = GPA; op.gva < GAP; op.gva += PAGE_SIZE)
		vcpu_do_op(l->vcpu, &op);
	vm_mem_region_set_flags(l->vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
}

static void log_create(struct log *l, bool ring)
{
	*l = (struct log){ .vm = vm_create(1), .has_ring = ring };
	if (ring) {
		__TEST_REQUIRE(kvm_check_cap(KVM_CAP_DIRTY_LOG_RING),
			       "needs KVM_CAP_DIRTY_LOG_RING");
		dirty_ring_enable(l->vm, RING_SIZE);
	}
	l->vcpu = vm_op_vcpu_add(l->vm, 0);
	if (ring)
		dirty_ring_map(&l->ring, l->vcpu, RING_SIZE);
	vm_userspace_mem_region_add(l->vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NR_PAGES, 0);
	virt_map(l->vm, GPA, GPA, NR_PAGES + NR_GAP_PAGES);
	log_start(l);
}

static void log_free(struct log *l)
{
	if (l->has_ring)
		munmap((void *)l->ring.gfns, RING_SIZE * sizeof(*l->ring.gfns));
	kvm_vm_free(l->vm);
}

static void expect_log(struct log *l, uint64_t want, const char *who)
{
	uint64_t got = log_drain(l), page;

	if (got == want)
		return;
	page = __builtin_ctzll(got ^ want);
	TEST_FAIL("%s: page %lu (gpa 0x%lx) %s; the log has pages 0x%lx, want 0x%lx",
		  who, page, PAGE(page),
		  want & BIT(page) ? "was written and is not in the log" :
				     "is in the log and was not written", got, want);
}

static void do_op(struct log *l, const struct guest_op *op)
{
	size_t size, i;
	uint64_t want = 0;
	gva_t first;

	vcpu_do_op(l->vcpu, op);
	size = guest_op_written(op, &first);
	for (i = 0; i < size; i++)
		if (first + i >= GPA && first + i < GAP)
			want |= BIT((first + i - GPA) / PAGE_SIZE);
	expect_log(l, want, guest_insn_name(op->insn));
}

/* One operand: inside a page, and across each kind of border. */
static void do_op_at_all_places(struct log *l, enum guest_insn insn, unsigned int len)
{
	const gva_t at[] = {
		PAGE(5) + 0x128, PAGE(7) + PAGE_SIZE - len, PAGE(9) + PAGE_SIZE - len / 2,
		PAGE(30), PAGE(31) + PAGE_SIZE - len / 2, GAP - len, GAP - len / 2,
	};
	unsigned int i, match;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		for (match = 0; match < 2; match++)
			do_op(l, &(struct guest_op){
				.insn = insn, .len = len, .gva = at[i], .match = match });
}

KVM_TEST_F(log, single_stores)
{
	enum guest_insn insn;
	unsigned int len;
	struct log l;

	log_create(&l, variant->ring);
	for (len = 1; len <= 8; len *= 2) {
		do_op_at_all_places(&l, INSN_MOV_WRITE, len);
		for_each_rmw_insn(insn)
			do_op_at_all_places(&l, insn, len);
	}
	do_op_at_all_places(&l, INSN_PUSH, 8);
	do_op_at_all_places(&l, INSN_ENTER, 8);
	log_free(&l);
}

KVM_TEST_F(log, string_stores)
{
	/* From and to: RAM, gap, and from one into the other. */
	static const struct { gva_t src, dst; uint64_t bytes; } moves[] = {
		{ PAGE(1), PAGE(20), 64 }, { PAGE(2) + 0xff8, PAGE(21) + 0xfe0, 64 },
		{ PAGE(40), PAGE(50) + 0xff0, PAGE_SIZE + 32 },
		{ GAP, PAGE(11), 64 }, { GAP + 0x100, PAGE(13) + 0xfe0, 64 },
		{ PAGE(12), GAP + 0x200, 64 }, { PAGE(15), GAP - 32, 64 },
		{ GAP - 32, PAGE(16), 64 }, { GAP, GAP + PAGE_SIZE, 32 },
	};
	unsigned int i, len, backwards;
	struct log l;

	log_create(&l, variant->ring);
	for (i = 0; i < ARRAY_SIZE(moves); i++)
		for (len = 1; len <= 8; len *= 8)
			for (backwards = 0; backwards < 2; backwards++) {
				uint64_t last = backwards ? moves[i].bytes - len : 0;
				struct guest_op op = {
					.insn = INSN_REP_MOVS, .len = len,
					.count = moves[i].bytes / len,
					.src = moves[i].src + last,
					.gva = moves[i].dst + last,
					.backwards = backwards,
				};

				do_op(&l, &op);
				op.insn = INSN_REP_STOS;
				do_op(&l, &op);
			}
	for (i = 0; i < ARRAY_SIZE(moves); i++)
		do_op(&l, &(struct guest_op){ .insn = INSN_MOVUPS, .len = 16,
					      .src = moves[i].src, .gva = moves[i].dst });
	log_free(&l);
}

KVM_TEST_F(log, loads_are_not_logged)
{
	unsigned int len;
	struct log l;

	log_create(&l, variant->ring);
	for (len = 1; len <= 8; len *= 2) {
		do_op_at_all_places(&l, INSN_MOV_READ, len);
		do_op_at_all_places(&l, INSN_ADD_READ, len);
		do_op(&l, &(struct guest_op){ .insn = INSN_REP_LODS, .len = len,
			.src = PAGE(3) + PAGE_SIZE - 32, .count = 64 / len });
		do_op(&l, &(struct guest_op){ .insn = INSN_REP_LODS, .len = len,
			.src = GAP - 32, .count = 64 / len });
	}
	log_free(&l);
}

/*
 * Between two looks at the log some pages are written by the CPU, and others by KVM,
 * for which they stay write-protected: the next look must protect the former all the
 * same.
 */
KVM_TEST_F(log, stores_by_cpu_and_kvm_in_turns)
{
	unsigned int round, i;
	struct log l;

	log_create(&l, variant->ring);
	for (round = 0; round < 40; round++) {
		uint64_t want = 0;

		test_step("round %u", round);
		for (i = 1 + test_random() % 6; i; i--) {
			const uint64_t page = test_random() % NR_PAGES;
			const bool by_kvm = test_random() % 2;
			struct guest_op op = {
				.insn = by_kvm ? INSN_REP_MOVS : INSN_MOV_WRITE, .len = 8,
				.gva = PAGE(page) + 64, .src = GAP, .count = 1,
			};

			vcpu_do_op(l.vcpu, &op);
			want |= BIT(page);
		}
		expect_log(&l, want, "stores by the CPU and by KVM");
	}
	log_free(&l);
}

/* ---- page tables ---- */

#define TABLE_PAGE	40UL
#define DATA_PAGE	41UL
/* Its entry is not at the data's place in the page: see memslot_tables_test. */
#define TABLE_GVA	(32UL << 39 | 3UL << 30 | 5UL << 21 | 7UL << 12)

/* The table of this level that maps TABLE_GVA moves into the logged slot. */
static uint64_t *move_table(struct log *l, int level)
{
	gpa_t old;

	virt_pg_map(l->vm, TABLE_GVA, PAGE(DATA_PAGE));
	old = align_down(vm_entry_gpa(l->vm, TABLE_GVA, level), PAGE_SIZE);
	memcpy(addr_gpa2hva(l->vm, PAGE(TABLE_PAGE)), addr_gpa2hva(l->vm, old), PAGE_SIZE);
	*(uint64_t *)addr_gpa2hva(l->vm, vm_entry_gpa(l->vm, TABLE_GVA, level + 1)) =
		PAGE(TABLE_PAGE) | PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
	return addr_gpa2hva(l->vm, vm_entry_gpa(l->vm, TABLE_GVA, level));
}

/* With the entry as given, and nothing of it known to CPU or KVM. */
static void set_entry(struct log *l, uint64_t *pte, uint64_t bits)
{
	*pte = (*pte & ~(PTE_ACCESSED_MASK | PTE_DIRTY_MASK)) | bits;
	vm_mem_region_reload(l->vm, SLOT);
}

KVM_TEST_F(log, accessed_and_dirty_bits)
{
	struct guest_op op = { .len = 8, .gva = TABLE_GVA + 0x10 };
	uint64_t *pte, got;
	unsigned int round;
	struct log l;

	log_create(&l, variant->ring);
	pte = move_table(&l, PG_LEVEL_4K);
	for (round = 0; round < 8; round++) {
		set_entry(&l, pte, 0);
		op.insn = INSN_MOV_READ;
		vcpu_do_op(l.vcpu, &op);
		got = log_drain(&l);
		TEST_ASSERT((*pte & (PTE_ACCESSED_MASK | PTE_DIRTY_MASK)) == PTE_ACCESSED_MASK,
			    "the guest's entry is 0x%lx after a read", *pte);
		TEST_ASSERT(got & BIT(TABLE_PAGE), "the accessed bit was set in page %lu, which is not in the log (0x%lx)",
			    TABLE_PAGE, got);

		set_entry(&l, pte, PTE_ACCESSED_MASK);
		op.insn = INSN_MOV_WRITE;
		vcpu_do_op(l.vcpu, &op);
		got = log_drain(&l);
		TEST_ASSERT(*pte & PTE_DIRTY_MASK, "the guest's entry is 0x%lx after a write", *pte);
		TEST_ASSERT(got & BIT(TABLE_PAGE), "the dirty bit was set in page %lu, which is not in the log (0x%lx)",
			    TABLE_PAGE, got);
		TEST_ASSERT(got & BIT(DATA_PAGE), "page %lu was written and is not in the log (0x%lx)",
			    DATA_PAGE, got);
	}
	log_free(&l);
}

/*
 * Shadow paging keeps tables above the last level write-protected, and so emulates
 * each store to them: the only locked ones that KVM does for the guest in RAM.
 */
static void store_to_table(struct log *l, enum guest_insn insn, unsigned int match)
{
	const struct guest_op read = { .insn = INSN_MOV_READ, .len = 8, .gva = TABLE_GVA };

	/* KVM gives a table up that is written three times and not used. */
	vcpu_do_op(l->vcpu, &read);
	log_drain(l);
	do_op(l, &(struct guest_op){ .insn = insn, .len = 8, .match = match,
				     .gva = PAGE(TABLE_PAGE) + 0x800 });
}

KVM_TEST_F(log, stores_to_page_tables)
{
	enum guest_insn insn;
	unsigned int match;
	struct log l;

	log_create(&l, variant->ring);
	move_table(&l, PG_LEVEL_2M);
	for (match = 0; match < 2; match++) {
		store_to_table(&l, INSN_MOV_WRITE, match);
		for_each_rmw_insn(insn)
			store_to_table(&l, insn, match);
	}
	log_free(&l);
}

/* ---- KVM's own stores ---- */

static void kvm_writes(struct log *l, enum kvm_writer w, uint64_t page)
{
	const struct guest_op read = { .insn = INSN_MOV_READ, .len = 8, .gva = PAGE(1) };
	unsigned int round;

	for (round = 0; round < 8; round++) {
		if (!kvm_writer_start(l->vcpu, w, PAGE(page + round % 2)))
			return;
		kvm_writer_trigger(l->vcpu, w);
		vcpu_do_op(l->vcpu, &read);
		expect_log(l, BIT(page + round % 2), kvm_writer_name(w));
	}
	kvm_writer_stop(l->vcpu, w);
	vcpu_do_op(l->vcpu, &read);
	log_drain(l);
}

KVM_TEST_F(log, kvm_itself)
{
	enum kvm_writer w;
	struct log l;

	log_create(&l, variant->ring);
	vm_kvm_writers_init(l.vm);
	for (w = 0; w < NR_KVM_WRITERS; w++)
		if (kvm_writer_is_logged(w))
			kvm_writes(&l, w, 20 + 4 * w);
	log_free(&l);
}

KVM_TEST_MAIN()
