// SPDX-License-Identifier: GPL-2.0-only
/*
 * What L0 does to memory that an L2 uses: slots that go, move, change hands and come
 * anew; pages that the host drops or protects; dirty logging; page sizes. L2's next
 * access sees the new state, and what it writes is in the dirty log, though KVM maps
 * memory for L2 with shadow pages of L1's tables, beside those of the TDP MMU.
 *
 * What breaks this: a zap, a write protection or an aging that looks into one of the
 * two only; reverse mappings of slots that are older or newer than the first shadow
 * page; large pages of L1's or L0's that are larger than the other's.
 */
#include <sys/mman.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "nested.h"
#include "pattern.h"

KVM_TEST_SUITE(nested_memslot_test, .needs = { .mem_mb = 64 });

#define NPAGES		8
#define OTHER_SLOT	2
#define PATTERN(r)	((struct pattern){ .round = (r), .slot = NESTED_SLOT })
#define WORD(r, page)	pattern_word(PATTERN(r), page, 0)

NESTED_VARIANTS(l2)

static struct nested_cpu *create(struct nested *n, bool paging)
{
	nested_create(n, 1, paging);
	nested_map(n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	nested_map(n, SZ_2M, NESTED_GPA + SZ_2M, SZ_2M, PG_LEVEL_2M, NESTED_RWX);
	return &n->cpu[0];
}

/* Another piece of memory for the slot each time. */
static void add_slot(struct nested *n, gpa_t gpa, uint32_t slot, unsigned int round)
{
	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, NPAGES, 0);
	pattern_fill(addr_gpa2hva(n->vm, gpa), NPAGES * PAGE_SIZE, PATTERN(round));
}

static void expect_mem(struct nested_cpu *cpu, uint64_t off, unsigned int round)
{
	unsigned int i;

	for (i = 0; i < NPAGES; i += 3) {
		l2_read(cpu, off + i * PAGE_SIZE, WORD(round, i));
		l2_write(cpu, off + i * PAGE_SIZE + 8, round);
	}
}

static void expect_gap(struct nested_cpu *cpu, uint64_t off)
{
	l2_read_gap(cpu, off, NESTED_GPA + off);
	l2_write_gap(cpu, off + 3 * PAGE_SIZE + 8, NESTED_GPA + off + 3 * PAGE_SIZE + 8,
		     off);
	l2_read_gap(cpu, off + 6 * PAGE_SIZE, NESTED_GPA + off + 6 * PAGE_SIZE);
}

/* Stays in L2, or is left for L1: both are to see the change. */
static void run(struct nested_cpu *cpu, unsigned int round, const char *what)
{
	if (round % 3)
		nested_run_in_l2(cpu, "round %u: %s, in L2", round, what);
	else
		nested_run(cpu, "round %u: %s", round, what);
}

/* ---- slots ---- */

static void slots_of_l2(bool paging, uint64_t off)
{
	const gpa_t gpa = NESTED_GPA + off, moved = gpa + 16 * PAGE_SIZE;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, paging);
	for (i = 1; i <= 7; i++) {
		add_slot(&n, gpa, NESTED_SLOT, 3 * i);
		expect_mem(cpu, off, 3 * i);
		run(cpu, i, "a slot");
		vm_mem_region_delete(n.vm, NESTED_SLOT);
		if (i % 2) {
			expect_gap(cpu, off);
			run(cpu, i + 1, "no slot");
		}
		add_slot(&n, gpa, NESTED_SLOT, 3 * i + 1);
		expect_mem(cpu, off, 3 * i + 1);
		run(cpu, i, "new memory");
		vm_mem_region_move(n.vm, NESTED_SLOT, moved);
		expect_mem(cpu, off + 16 * PAGE_SIZE, 3 * i + 1);
		expect_gap(cpu, off);
		run(cpu, i, "the slot has moved");
		/* What it has left is another's. */
		add_slot(&n, gpa, OTHER_SLOT, 3 * i + 2);
		expect_mem(cpu, off, 3 * i + 2);
		expect_mem(cpu, off + 16 * PAGE_SIZE, 3 * i + 1);
		run(cpu, i, "two slots");
		vm_mem_region_delete(n.vm, NESTED_SLOT);
		expect_gap(cpu, off + 16 * PAGE_SIZE);
		expect_mem(cpu, off, 3 * i + 2);
		nested_run(cpu, "round %u: the other slot", i);
		vm_mem_region_delete(n.vm, OTHER_SLOT);
	}
	expect_gap(cpu, off);
	nested_run(cpu, "no slot, the end");
	nested_free(&n);
}

KVM_TEST_F(l2, sees_slots_change)
{
	slots_of_l2(variant->paging, 0);
}

KVM_TEST_F(l2, sees_slots_change_under_a_large_leaf)
{
	slots_of_l2(variant->paging, SZ_2M);
}

/* The slot is older than the first shadow page, which comes with the first L2. */
KVM_TEST_F(l2, uses_slots_older_and_newer_than_itself)
{
	struct nested_cpu *cpu;
	struct nested n;

	cpu = create(&n, variant->paging);
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	l1_read(cpu, NESTED_GPA, WORD(1, 0));
	nested_run(cpu, "no L2 yet");
	add_slot(&n, NESTED_GPA + SZ_2M, OTHER_SLOT, 2);
	expect_mem(cpu, 0, 1);
	nested_run(cpu, "an older slot");
	vm_mem_region_set_flags(n.vm, NESTED_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_mem(cpu, 0, 1);
	expect_mem(cpu, SZ_2M, 2);
	nested_run_in_l2(cpu, "with dirty logging");
	vm_mem_region_move(n.vm, OTHER_SLOT, NESTED_GPA + SZ_2M + SZ_1M);
	expect_mem(cpu, SZ_2M + SZ_1M, 2);
	nested_run_in_l2(cpu, "moved");
	add_slot(&n, NESTED_GPA + SZ_2M, 3, 3);
	expect_mem(cpu, SZ_2M, 3);
	vm_mem_region_set_flags(n.vm, NESTED_SLOT, 0);
	expect_mem(cpu, 0, 1);
	nested_run(cpu, "a newer slot");
	nested_free(&n);
}

/* ---- the host's memory ---- */

KVM_TEST_F(l2, sees_what_the_host_does_to_memory)
{
	struct nested_cpu *cpu;
	int64_t flushes;
	struct nested n;
	uint64_t off;
	unsigned int i;
	char *hva;

	cpu = create(&n, variant->paging);
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	add_slot(&n, NESTED_GPA + SZ_2M, OTHER_SLOT, 1);
	for (i = 1; i < 8; i++) {
		off = i % 2 * SZ_2M;
		hva = addr_gpa2hva(n.vm, NESTED_GPA + off);
		pattern_fill(hva, NPAGES * PAGE_SIZE, PATTERN(i));
		expect_mem(cpu, off, i);
		run(cpu, i, "patterned memory");
		/* L2 looks before the host fills the page again. L1 has mapped none of them. */
		flushes = vm_tlb_flush_requests(n.vm);
		TEST_ERROR_ON(madvise(hva, NPAGES * PAGE_SIZE, MADV_DONTNEED), "madvise");
		vm_expect_tlb_flush(n.vm, flushes, "pages that L2 has mapped were dropped");
		l2_read(cpu, off + 3 * PAGE_SIZE, 0);
		l2_write(cpu, off + 6 * PAGE_SIZE, i);
		run(cpu, i, "dropped");
		TEST_ASSERT_EQ(*(uint64_t *)(hva + 6 * PAGE_SIZE), (uint64_t)i);
		/* Other pages at the same addresses. */
		TEST_ERROR_ON(mmap(hva, NPAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != hva,
			      "mmap");
		pattern_fill(hva, NPAGES * PAGE_SIZE, PATTERN(0x100 + i));
		expect_mem(cpu, off, 0x100 + i);
		nested_run(cpu, "round %u: mapped anew", i);
	}
	nested_free(&n);
}

/* Memory that the host may only read: L2 reads it, and its write is an EFAULT. */
KVM_TEST_F(l2, cannot_write_what_the_host_protects)
{
	const size_t page = 3 * PAGE_SIZE;	/* L2 has written to it before */
	struct nested_cpu *cpu;
	struct nested n;
	char *hva;

	cpu = create(&n, variant->paging);
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	hva = addr_gpa2hva(n.vm, NESTED_GPA);
	expect_mem(cpu, 0, 1);
	nested_run_in_l2(cpu, "before the host protects its memory");
	TEST_ERROR_ON(mprotect(hva, NPAGES * PAGE_SIZE, PROT_READ), "mprotect");
	l2_read(cpu, 0, WORD(1, 0));
	l2_read(cpu, page, WORD(1, 3));
	nested_run_in_l2(cpu, "read only");
	l2_write(cpu, page + 16, 0x77);
	TEST_ASSERT_ERRNO(_vcpu_run(cpu->vcpu), EFAULT,
			  "L2 writes to memory that the host has read-only");
	TEST_ASSERT_EQ(*(uint64_t *)(hva + page + 16), pattern_word(PATTERN(1), 3, 2));
	TEST_ERROR_ON(mprotect(hva, NPAGES * PAGE_SIZE, PROT_READ | PROT_WRITE),
		      "mprotect");
	l2_read(cpu, page + 16, 0x77);
	nested_run(cpu, "writable again");
	nested_free(&n);
}

/* ---- dirty logging ---- */

#define LOG_PAGES	(2 * SZ_2M / PAGE_SIZE)
#define LOG_WORDS	(LOG_PAGES / 64)

/* A read that KVM answers with a writable page may be logged as well. */
static void expect_dirty(struct nested *n, const uint64_t *written, const uint64_t *read)
{
	uint64_t got[LOG_WORDS] = {};
	size_t i;

	kvm_vm_get_dirty_log(n->vm, NESTED_SLOT, got);
	for (i = 0; i < LOG_WORDS; i++)
		TEST_ASSERT((got[i] & written[i]) == written[i] &&
			    !(got[i] & ~(written[i] | read[i])),
			    "dirty log of slot %u, pages from 0x%lx on: 0x%lx, written were 0x%lx, read 0x%lx",
			    NESTED_SLOT, i * 64, got[i], written[i], read[i]);
}

/*
 * L1 or L2 writes one page in three at random; the log has these, and none that
 * was not touched, each time. L1 maps the slot with 4K, and behind that with 2M.
 */
static void dirty_rounds(bool paging, enum vm_mem_backing_src_type src)
{
	const size_t npages = LOG_PAGES;
	uint64_t written[LOG_WORDS], read[LOG_WORDS];
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i, k;

	cpu = create(&n, paging);
	vm_userspace_mem_region_add(n.vm, src, NESTED_GPA, NESTED_SLOT, npages, 0);
	for (i = 0; i < 16; i++)
		l2_write(cpu, i * (npages / 16) * PAGE_SIZE, i);
	nested_run(cpu, "writes without logging");
	for (i = 0; i < 6; i++) {
		/* The first round of three has logging switched on under L2. */
		if (i % 3 == 0)
			vm_mem_region_set_flags(n.vm, NESTED_SLOT,
						KVM_MEM_LOG_DIRTY_PAGES);
		memset(written, 0, sizeof(written));
		memset(read, 0, sizeof(read));
		for (k = 0; k < 24; k++) {
			uint64_t page = test_random() % npages;

			if (k % 3) {
				l2_read(cpu, page * PAGE_SIZE + 8 * k + 512, 0);
				read[page / 64] |= BIT_ULL(page % 64);
				continue;
			}
			if (k % 12)
				l2_write(cpu, page * PAGE_SIZE, i);
			else
				l1_write(cpu, NESTED_GPA + page * PAGE_SIZE, i);
			written[page / 64] |= BIT_ULL(page % 64);
		}
		if (i % 2)
			nested_run(cpu, "round %u", i);
		else
			nested_run_in_l2(cpu, "round %u, in L2", i);
		expect_dirty(&n, written, read);
		if (i % 3 == 2)
			vm_mem_region_set_flags(n.vm, NESTED_SLOT, 0);
	}
	nested_run(cpu, "the end");
	nested_free(&n);
}

KVM_TEST_F(l2, writes_are_in_the_dirty_log)
{
	dirty_rounds(variant->paging, VM_MEM_SRC_ANONYMOUS);
}

KVM_TEST_F(l2, writes_to_large_pages_are_in_the_dirty_log, .huge_2m = 2)
{
	dirty_rounds(variant->paging, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB);
}

/*
 * What the CPU logs by itself is switched for L1's writes, and not while L2 runs. L1
 * writes to pages that were writable all the time: nobody else would log them.
 */
KVM_TEST_F(l2, logging_begins_and_ends_while_it_runs)
{
	uint64_t written[LOG_WORDS] = {}, read[LOG_WORDS] = {};
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i, page;

	cpu = create(&n, variant->paging);
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA, NESTED_SLOT,
				    LOG_PAGES, 0);
	for (i = 0; i < 12; i++) {
		const bool logged = i / 2 & 1;

		memset(written, 0, sizeof(written));
		for (page = i / 4; page < 16; page += 4) {
			l1_write(cpu, NESTED_GPA + page * PAGE_SIZE, i);
			l2_write(cpu, (page + 16) * PAGE_SIZE, i);
			written[0] |= BIT_ULL(page) | BIT_ULL(page + 16);
		}
		if (i & 1)
			nested_run_in_l2(cpu, "round %u, %slogged", i, logged ? "" : "not ");
		else
			nested_run(cpu, "round %u, %slogged", i, logged ? "" : "not ");
		if (logged)
			expect_dirty(&n, written, read);
		if (i & 1)
			vm_mem_region_set_flags(n.vm, NESTED_SLOT,
						logged ? 0 : KVM_MEM_LOG_DIRTY_PAGES);
	}
	nested_run(cpu, "the end");
	nested_free(&n);
}

/* A large page that L1 gives to read stays so when it is split. */
KVM_TEST_F(l2, keeps_its_rights_when_pages_are_split, .huge_2m = 2)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, variant->paging);
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, NESTED_GPA,
				    NESTED_SLOT, 2 * SZ_2M / PAGE_SIZE, 0);
	nested_map(&n, SZ_2M, NESTED_GPA, SZ_2M, PG_LEVEL_2M, NESTED_R);
	nested_map(&n, 2 * SZ_2M, NESTED_GPA + SZ_2M, SZ_2M, PG_LEVEL_2M, NESTED_RW);
	for (i = 0; i < 6; i++) {
		uint64_t off = i * 77 * PAGE_SIZE;

		l2_read(cpu, SZ_2M + off + 8, 0);
		l2_write(cpu, 2 * SZ_2M + off, i);
		l2_read(cpu, 2 * SZ_2M + off, i);
		l2_fault(cpu, L2_WRITE, SZ_2M + off, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l2_fault(cpu, L2_EXEC, 2 * SZ_2M + off,
			 PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		nested_run(cpu, "round %u", i);
		vm_mem_region_set_flags(n.vm, NESTED_SLOT,
					i % 2 ? 0 : KVM_MEM_LOG_DIRTY_PAGES);
	}
	nested_free(&n);
}

/* Reads the log of slot 0, where L1's tables and its VMCB are. */
static bool is_page_logged(struct nested *n, gpa_t gpa)
{
	struct userspace_mem_region *sys = vm_get_mem_region(n->vm, VM_SYS_SLOT);
	size_t page = (gpa - sys->gpa) / PAGE_SIZE;
	uint64_t log[64] = {};

	TEST_ERROR_ON(sys->size / PAGE_SIZE > 64 * 64, "slot 0 is too large");
	kvm_vm_get_dirty_log(n->vm, VM_SYS_SLOT, log);
	return log[page / 64] & BIT_ULL(page % 64);
}

/* KVM sets accessed and dirty bits in tables that it shadows, memory like any. */
static void expect_bits(struct nested *n, gpa_t entry, uint64_t want, bool logged,
			const char *when)
{
	const bool ept = n->paging && !n->amd;
	uint64_t mask, got;

	mask = ept ? EPT_ACCESSED | EPT_DIRTY : PTE_ACCESSED_MASK | PTE_DIRTY_MASK;
	want = ept ? want << 3 : want;
	got = *(uint64_t *)addr_gpa2hva(n->vm, entry);
	TEST_ASSERT((got & mask) == want, "%s: L1's entry at gpa 0x%lx is 0x%lx, want 0x%lx of 0x%lx",
		    when, entry, got, want, mask);
	TEST_ASSERT(is_page_logged(n, entry) || !logged,
		    "%s: KVM has changed L1's entry at gpa 0x%lx, but the page is not in the dirty log",
		    when, entry);
}

KVM_TEST(accessed_and_dirty_bits_of_l1s_tables)
{
	struct nested_cpu *cpu;
	struct nested n;
	gpa_t entry;

	/* Without nested paging, a CPU that has it would set them. */
	cpu = create(&n, kvm_is_tdp_enabled());
	if (n.paging && !n.amd) {
		__TEST_REQUIRE(nested_has_ept_ad(&n), "needs A/D bits in the guest's EPT");
		cpu->box->root |= EPTP_AD;
	}
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	entry = nested_entry_gpa(&n, PAGE_SIZE, PG_LEVEL_4K);
	l2_read(cpu, 6 * PAGE_SIZE, WORD(1, 6));
	nested_run(cpu, "another entry of the table");
	vm_mem_region_set_flags(n.vm, VM_SYS_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_bits(&n, entry, 0, false, "L2 has not touched the page");
	l2_read(cpu, PAGE_SIZE, WORD(1, 1));
	nested_run(cpu, "L2 reads");
	expect_bits(&n, entry, PTE_ACCESSED_MASK, true, "L2 has read the page");
	l2_write(cpu, PAGE_SIZE, 1);
	nested_run(cpu, "L2 writes");
	expect_bits(&n, entry, PTE_ACCESSED_MASK | PTE_DIRTY_MASK, true,
		    "L2 has written the page");
	nested_free(&n);
}

/*
 * KVM keeps the tables that it shadows write-protected, those of the last level
 * excepted, and emulates what L1 does to them, locked instructions, too.
 */
KVM_TEST_F(l2, tables_change_in_the_dirty_log)
{
	struct nested_cpu *cpu;
	struct nested n;
	uint64_t *entry;
	gpa_t gpa;
	unsigned int i;

	cpu = create(&n, variant->paging);
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	gpa = nested_entry_gpa(&n, PAGE_SIZE, PG_LEVEL_2M);
	entry = addr_gpa2hva(n.vm, gpa);
	vm_mem_region_set_flags(n.vm, VM_SYS_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 0; i < 3; i++) {
		/* Ignored in entries of all kinds. */
		const uint64_t bit = BIT_ULL(53 + i);

		l2_read(cpu, PAGE_SIZE, WORD(1, 1));
		nested_run(cpu, "round %u: L2 uses the table", i);
		is_page_logged(&n, gpa);
		l1_lock_or_entry(cpu, PAGE_SIZE, PG_LEVEL_2M, bit);
		nested_run(cpu, "round %u: L1 changes it", i);
		TEST_ASSERT(*entry & bit, "L1's entry at gpa 0x%lx is 0x%lx, without the bit 0x%lx that L1 has set",
			    gpa, *entry, bit);
		TEST_ASSERT(is_page_logged(&n, gpa),
			    "L1 has changed its entry at gpa 0x%lx by a locked instruction, but the page is not in the dirty log",
			    gpa);
	}
	nested_free(&n);
}

/*
 * A page that the log has made read-only becomes a table: it is read-only for another
 * reason then, and a write that the log alone would let pass is an edit.
 */
KVM_TEST_F(l2, tables_are_pages_that_are_logged)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	gpa_t gpa;

	cpu = create(&n, variant->paging);
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	gpa = nested_entry_gpa(&n, 0, PG_LEVEL_4K);
	l1_set_entry(cpu, 0, PG_LEVEL_4K, nested_leaf(&n, NESTED_GPA, PG_LEVEL_4K, NESTED_RWX));
	nested_run(cpu, "no L2 yet");
	vm_mem_region_set_flags(n.vm, VM_SYS_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 1; i < 8; i++) {
		l2_read(cpu, 0, WORD(1, i - 1));
		nested_run(cpu, "round %u: L2 uses the table", i);
		l1_edit(cpu, 0, PG_LEVEL_4K, nested_leaf(&n, NESTED_GPA + i * PAGE_SIZE,
							 PG_LEVEL_4K, NESTED_RWX));
		l2_read(cpu, 0, WORD(1, i));
		nested_run(cpu, "round %u: L1 has changed it", i);
		TEST_ASSERT(is_page_logged(&n, gpa),
			    "L1 has changed its entry at gpa 0x%lx, but the page is not in the dirty log",
			    gpa);
	}
	nested_free(&n);
}

/*
 * What becomes of L2 is stored for L1 at each exit, by KVM: in the VMCB, which is
 * memory like any, and so in the log. VMX may keep it until L1 lets the VMCS go.
 */
KVM_TEST(state_of_l2_is_in_the_dirty_log)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, kvm_is_tdp_enabled());
	__TEST_REQUIRE(n.amd, "is for SVM");
	add_slot(&n, NESTED_GPA, NESTED_SLOT, 1);
	vm_mem_region_set_flags(n.vm, VM_SYS_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 0; i < 3; i++) {
		l2_read(cpu, i * PAGE_SIZE, WORD(1, i));
		nested_run_in_l2(cpu, "round %u, in L2", i);
		is_page_logged(&n, cpu->box->svm.vmcb_gpa);
		/* L1 does not write to the VMCB until it enters L2 again. */
		l1_read(cpu, NESTED_GPA, WORD(1, 0));
		nested_run(cpu, "round %u, in L1", i);
		TEST_ASSERT(is_page_logged(&n, cpu->box->svm.vmcb_gpa),
			    "L2 has exited, but its VMCB's page, gpa 0x%lx, is not in the dirty log",
			    cpu->box->svm.vmcb_gpa);
	}
	nested_free(&n);
}

/* ---- page sizes ---- */

#define NR_TOUCHED	16

static void touch_pages(struct nested_cpu *cpu, uint64_t off, unsigned int round)
{
	unsigned int i;

	for (i = 0; i < NR_TOUCHED; i++) {
		uint64_t at = off + i * (2 * SZ_2M / NR_TOUCHED) + i * PAGE_SIZE;

		l2_write(cpu, at, round + i);
		l2_read(cpu, at, round + i);
	}
	nested_run(cpu, "round %u: %u pages of 4M", round, NR_TOUCHED);
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* L1 maps the whole window with leaves of @l1, L0 has pages of @l0 there. */
static void check_page_size(bool paging, int l0, int l1)
{
	int want = !paging && kvm_is_tdp_enabled() ? l0 : smaller(l0, l1);
	struct page_sizes before, after;
	const uint64_t off = 4 * SZ_2M;
	struct nested_cpu *cpu;
	struct nested n;
	uint64_t i;

	cpu = create(&n, paging);
	if (l1 == PG_LEVEL_1G && !nested_has_1g_pages(&n)) {
		nested_free(&n);
		return;
	}
	if (l1 == PG_LEVEL_1G)
		*nested_entry(&n, 0, PG_LEVEL_1G) =
			nested_leaf(&n, NESTED_GPA, PG_LEVEL_1G, NESTED_RWX);
	else
		nested_map(&n, off, NESTED_GPA + off, 4 * SZ_2M, l1, NESTED_RWX);
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA + off + 2 * SZ_2M,
				    OTHER_SLOT, 2 * SZ_2M / PAGE_SIZE, 0);
	vm_userspace_mem_region_add(n.vm, l0 == PG_LEVEL_2M ?
				    VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB : VM_MEM_SRC_ANONYMOUS,
				    NESTED_GPA + off, NESTED_SLOT, 2 * SZ_2M / PAGE_SIZE, 0);
	/* All that L2 needs beside. */
	touch_pages(cpu, off + 2 * SZ_2M, 1);
	touch_pages(cpu, off + 2 * SZ_2M, 1);
	if (!page_sizes_read(n.vm, &before))
		memset(&before, 0, sizeof(before));
	touch_pages(cpu, off, 2);
	touch_pages(cpu, off, 3);
	for (i = 0; i < NR_TOUCHED; i++)
		TEST_ASSERT_EQ(*(uint64_t *)addr_gpa2hva(n.vm, NESTED_GPA + off +
				i * (2 * SZ_2M / NR_TOUCHED) + i * PAGE_SIZE), 3 + i);
	/* L1's tables for the window are memory, too. */
	if (page_sizes_read(n.vm, &after))
		TEST_ASSERT_ORACLE(ORACLE_STATS,
				   want == PG_LEVEL_2M ?
				   after.n2m - before.n2m == 2 &&
				   after.n4k - before.n4k <= 2 :
				   after.n2m == before.n2m &&
				   after.n4k - before.n4k >= NR_TOUCHED,
				   "L0 has pages of level %d, L1 maps leaves of level %d: L2 touched %u pages in 4M; pages_4k %ld -> %ld, pages_2m %ld -> %ld, want level %d",
				   l0, l1, NR_TOUCHED, before.n4k, after.n4k, before.n2m,
				   after.n2m, want);
	nested_free(&n);
}

KVM_TEST_F(l2, gets_the_smaller_page_of_l0_and_l1, .huge_2m = 2)
{
	int l0, l1;

	for (l0 = PG_LEVEL_4K; l0 <= PG_LEVEL_2M; l0++) {
		for (l1 = PG_LEVEL_4K; l1 <= PG_LEVEL_1G; l1++)
			check_page_size(variant->paging, l0, l1);
	}
}

/* ---- references ---- */

/* KVM maps L1's VMCB for itself, at each entry and exit, and must let go of it. */
KVM_TEST(host_gets_back_what_an_l2_used)
{
	struct backing_mem mem;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = create(&n, false);
	backing_mem_alloc(&mem, VM_MEM_SRC_SHMEM, NPAGES * PAGE_SIZE, NESTED_GPA);
	vm_mem_region_add_backing(n.vm, &mem, mem.hva, NESTED_GPA, NESTED_SLOT, NPAGES, 0);
	pattern_fill(mem.hva, mem.size, PATTERN(1));
	if (n.amd) {
		memcpy(mem.hva, addr_gpa2hva(n.vm, cpu->box->svm.vmcb_gpa), PAGE_SIZE);
		cpu->box->svm.vmcb = (void *)NESTED_GPA;
		cpu->box->svm.vmcb_gpa = NESTED_GPA;
	}
	for (i = 1; i < NPAGES; i++) {
		l2_read(cpu, i * PAGE_SIZE, WORD(1, i));
		l2_write(cpu, i * PAGE_SIZE + 8, i);
		l1_turn(cpu);
	}
	nested_run(cpu, "use each page from L2");
	nested_free(&n);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
