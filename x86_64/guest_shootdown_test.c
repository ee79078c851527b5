// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two vCPUs share page tables that one of them edits while both run. The other
 * one is told, flushes its own TLB, as after a shoot-down's IPI, and from then on
 * goes by the new entries; by entries that were not present before even without
 * a flush. Or the editor asks the hypervisor to flush both. What the other one then
 * writes is where the editor finds it.
 *
 * One that is not told may use an old entry, but no page that the host has taken
 * back, and write to no page that has become a table.
 *
 * What breaks this: with shadow paging, a page table that is synced for the vCPU
 * that edits it only, or that is still written behind KVM's back after it was
 * synced; an SPTE that is dropped for one vCPU's INVLPG and stays in the TLB of
 * another, where no MMU notifier looks for it.
 */
#include <stddef.h>

#include "hyperv.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(guest_shootdown_test);

#define NR_PAGES	16
#define NR_ROUNDS	200
/* No index in the page tables is that of the data in its page. */
#define AREA		(200UL << 39 | 3UL << 30 | 5UL << 21 | 7UL << 12)
#define WRITTEN		8	/* offset in each page */

enum how {
	BY_INVLPG, BY_CR3, WITHOUT,
	/* The editor has both flushed, by a hypercall of Hyper-V's. */
	BY_HV_SPACE, BY_HV_LIST, BY_HV_SPACE_EX, BY_HV_LIST_EX,
};

FIXTURE_VARIANT(flush) {
	enum how how;
};
KVM_FIXTURE(flush)

FIXTURE_VARIANT_ADD(flush, invlpg) { .how = BY_INVLPG };
FIXTURE_VARIANT_ADD(flush, cr3) { .how = BY_CR3 };
/* Only from not present to present; the way back is flushed. */
FIXTURE_VARIANT_ADD(flush, none) { .how = WITHOUT };
FIXTURE_VARIANT_ADD(flush, hyperv_space) { .how = BY_HV_SPACE };
FIXTURE_VARIANT_ADD(flush, hyperv_list) { .how = BY_HV_LIST };
FIXTURE_VARIANT_ADD(flush, hyperv_space_ex) { .how = BY_HV_SPACE_EX };
FIXTURE_VARIANT_ADD(flush, hyperv_list_ex) { .how = BY_HV_LIST_EX };

/* In guest memory. */
struct shared {
	uint64_t how;
	gpa_t data;			/* two sets of pages */
	volatile uint64_t *ptes;	/* of AREA */
	gva_t data_gva;
	volatile uint64_t round, seen;
	volatile uint64_t watched, value, looks;
	bool amd;
	uint64_t *hv_input;
	gpa_t hv_input_gpa;
};

static bool is_present(const struct shared *s, uint64_t round)
{
	return s->how != WITHOUT || round % 2;
}

static uint64_t page_of(const struct shared *s, uint64_t round, uint64_t i)
{
	/* In another order each time. */
	return (round / (s->how == WITHOUT ? 2 : 1) % 2) * NR_PAGES +
	       (i + round * 5) % NR_PAGES;
}

/*
 * The pages of AREA, each entry with the number of pages behind its first, in pieces
 * that change; or one by one, which are more than KVM keeps. Returns how many.
 */
static unsigned int add_gva_list(uint64_t *list, uint64_t round)
{
	const uint64_t piece = (const uint64_t[]){ 16, 5, 1 }[round % 3];
	unsigned int n = 0;
	uint64_t i;

	/* Nothing is there, and not even an address. */
	list[n++] = BIT_ULL(62) | 3;
	for (i = 0; i < NR_PAGES; i += piece)
		list[n++] = (AREA + i * PAGE_SIZE) |
			    ((i + piece < NR_PAGES ? i + piece : NR_PAGES) - i - 1);
	return n;
}

static void guest_flush_by_hypercall(const struct shared *s, uint64_t round)
{
	static const uint16_t calls[] = {
		[BY_HV_SPACE] = HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE,
		[BY_HV_LIST] = HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST,
		[BY_HV_SPACE_EX] = HVCALL_FLUSH_VIRTUAL_ADDRESS_SPACE_EX,
		[BY_HV_LIST_EX] = HVCALL_FLUSH_VIRTUAL_ADDRESS_LIST_EX,
	};
	const bool ex = s->how >= BY_HV_SPACE_EX, all = round / 3 % 2;
	uint64_t *in = s->hv_input, control = calls[s->how], ret, n = 0;

	*in++ = 0;			/* address space */
	*in++ = HV_FLUSH_ALL_VIRTUAL_ADDRESS_SPACES |
		(all && !ex ? HV_FLUSH_ALL_PROCESSORS : 0);
	if (ex) {
		*in++ = all ? HV_GENERIC_SET_ALL : HV_GENERIC_SET_SPARSE_4K;
		*in++ = all ? 0 : 1;	/* banks of 64 vCPUs */
	}
	if (!ex || !all)
		*in++ = BIT(0) | BIT(1);
	if (ex && !all)
		control |= 1ULL << HV_HYPERCALL_VARHEAD_OFFSET;
	if (s->how == BY_HV_LIST || s->how == BY_HV_LIST_EX)
		n = add_gva_list(in, round);
	ret = hyperv_hypercall(s->amd, control | n << HV_HYPERCALL_REP_COMP_OFFSET,
			       s->hv_input_gpa);
	__GUEST_ASSERT(ret == n << HV_HYPERCALL_REP_COMP_OFFSET,
		       "round %lu: hypercall 0x%lx of %lu entries returned 0x%lx",
		       round, control, n, ret);
}

static void guest_flush(const struct shared *s, uint64_t round)
{
	uint64_t i;

	if (s->how > WITHOUT || (s->how == WITHOUT && is_present(s, round)))
		return;
	if (s->how == BY_CR3)
		write_cr3(read_cr3());
	for (i = 0; i < NR_PAGES && s->how != BY_CR3; i++)
		invlpg(AREA + i * PAGE_SIZE);
}

static void guest_check(const struct shared *s, uint64_t round, uint64_t cpu)
{
	uint64_t i, got, want;

	for (i = 0; i < NR_PAGES; i++) {
		gva_t gva = AREA + i * PAGE_SIZE;

		if (!is_present(s, round)) {
			got = kvm_asm_safe("mov (%[gva]), %%r11", [gva] "r"(gva));
			__GUEST_ASSERT(got == PF_VECTOR,
				       "round %lu, vCPU %lu: the entry of page %lu is not present and was flushed: want #PF, got vector %lu",
				       round, cpu, i, got);
			continue;
		}
		want = page_of(s, round, i);
		got = guest_read64(gva);
		__GUEST_ASSERT(got == want,
			       "round %lu, page %lu: want data page %lu, got %lu",
			       round, i, want, got);
	}
}

static void guest_editor(struct shared *s)
{
	uint64_t round, i, got;

	for (round = 1; round <= NR_ROUNDS; round++) {
		for (i = 0; i < NR_PAGES; i++)
			s->ptes[i] = is_present(s, round) ?
				     (s->data + page_of(s, round, i) * PAGE_SIZE) |
				     PTE_PRESENT_MASK | PTE_WRITABLE_MASK : 0;
		if (s->how > WITHOUT)
			guest_flush_by_hypercall(s, round);
		s->round = round;
		guest_flush(s, round);
		guest_check(s, round, 0);
		while (s->seen != round)
			cpu_relax();
		for (i = 0; i < NR_PAGES && is_present(s, round); i++) {
			got = guest_read64(s->data_gva + WRITTEN +
					   page_of(s, round, i) * PAGE_SIZE);
			__GUEST_ASSERT(got == round * NR_PAGES + i,
				       "round %lu: vCPU 1 wrote 0x%lx to page %lu, and there is 0x%lx",
				       round, round * NR_PAGES + i, i, got);
		}
	}
	GUEST_DONE();
}

static void guest_other(struct shared *s)
{
	uint64_t round, i;

	for (round = 1; round <= NR_ROUNDS; round++) {
		/* Used all the time, stale or not; it is not looked at. */
		while (s->round != round) {
			if (s->how != WITHOUT)
				guest_read64(AREA + round % NR_PAGES * PAGE_SIZE);
			cpu_relax();
		}
		guest_flush(s, round);
		guest_check(s, round, 1);
		for (i = 0; i < NR_PAGES && is_present(s, round); i++)
			guest_write64(AREA + i * PAGE_SIZE + WRITTEN,
				      round * NR_PAGES + i);
		s->seen = round;
	}
	GUEST_DONE();
}

static void run_to_the_end(struct kvm_vcpu *vcpu)
{
	if (vcpu_run_unless_stopped(vcpu) && get_ucall(vcpu, NULL) != UCALL_DONE)
		vcpu_unexpected_exit(vcpu, "GUEST_DONE");
}

/* Pages of data, each with its number in it, the first of which are in AREA. */
static gva_t create_shared(struct kvm_vm *vm, enum how how)
{
	gva_t gva = vm_alloc(vm, sizeof(struct shared));
	struct shared *s = addr_gva2hva(vm, gva);
	gpa_t ptes;
	uint64_t i;

	s->how = how;
	s->amd = host_is_amd();
	s->hv_input_gpa = vm_phy_pages_alloc(vm, 1);
	s->hv_input = (uint64_t *)vm_map_gpa(vm, s->hv_input_gpa, PAGE_SIZE);
	s->data = vm_phy_pages_alloc(vm, 2 * NR_PAGES);
	s->data_gva = vm_map_gpa(vm, s->data, 2 * NR_PAGES * PAGE_SIZE);
	for (i = 0; i < 2 * NR_PAGES; i++)
		*(uint64_t *)addr_gpa2hva(vm, s->data + i * PAGE_SIZE) = i;
	virt_map(vm, AREA, s->data, NR_PAGES);
	ptes = addr_hva2gpa(vm, vm_get_pte(vm, AREA, NULL));
	s->ptes = (uint64_t *)(vm_map_gpa(vm, align_down(ptes, PAGE_SIZE), PAGE_SIZE) +
			       ptes % PAGE_SIZE);
	return gva;
}

/*
 * Since Linux 6.2, svm_flush_tlb_asid() takes back what Hyper-V's hypercalls have asked
 * for, as it flushes more than that. It does not sync shadow pages, and a flush of KVM's
 * own (KVM_REQ_TLB_FLUSH) may come between.
 */
static void require_hyperv_flush_that_stays(void)
{
	__TEST_REQUIRE(!host_is_amd() || kvm_is_tdp_enabled() || !kernel_at_least(6, 2) ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel with shadow paging: a flush of KVM's own takes back one that Hyper-V's guest asked for; --set known_bugs=1 makes it a failure");
}

KVM_TEST_F(flush, edits_count_for_the_other_vcpu)
{
	struct kvm_vm *vm = vm_create(2);
	gva_t gva = create_shared(vm, variant->how);
	struct kvm_vcpu *vcpus[2];
	unsigned int i;

	__TEST_REQUIRE(variant->how <= WITHOUT || kvm_has_cap(KVM_CAP_HYPERV_TLBFLUSH),
		       "needs KVM_CAP_HYPERV_TLBFLUSH: a kernel with CONFIG_KVM_HYPERV");
	if (variant->how > WITHOUT) {
		require_guest_flush_that_syncs();
		require_hyperv_flush_that_stays();
	}
	vcpus[0] = vm_vcpu_add(vm, 0, guest_editor);
	vcpus[1] = vm_vcpu_add(vm, 1, guest_other);
	breadcrumb("one vCPU edits, the other one flushes, or is flushed");
	for (i = 0; i < 2; i++) {
		if (variant->how > WITHOUT)
			vcpu_enable_hyperv(vcpus[i]);
		vcpu_args_set(vcpus[i], 1, gva);
		vcpu_thread_start(vcpus[i], run_to_the_end);
	}
	for (i = 0; i < 2; i++)
		vcpu_thread_join(vcpus[i]);
	kvm_vm_free(vm);
}

/* ---- entries that only their editor flushes ---- */

static void guest_exchange(struct shared *s)
{
	uint64_t i;

	for (i = 1; i < NR_PAGES; i++) {
		guest_read64(AREA + i * PAGE_SIZE);
		s->ptes[i] += NR_PAGES * PAGE_SIZE;
		invlpg(AREA + i * PAGE_SIZE);
		GUEST_SYNC(i);
	}
}

static void guest_watch(struct shared *s)
{
	for (;;) {
		s->value = guest_read64(AREA + s->watched * PAGE_SIZE);
		s->looks++;
		cpu_relax();
	}
}

static void run_watcher(struct kvm_vcpu *vcpu)
{
	if (vcpu_run_unless_stopped(vcpu))
		vcpu_unexpected_exit(vcpu, "none: it only reads RAM");
}

/* The second look has begun after this was called. */
static uint64_t look_again(struct shared *s)
{
	uint64_t looks = s->looks;

	while (s->looks < looks + 2)
		usleep(100);
	return s->value;
}

KVM_TEST(page_of_an_exchanged_entry_can_go)
{
	struct kvm_vm *vm = vm_create(2);
	gva_t gva = create_shared(vm, BY_INVLPG);
	struct shared *s = addr_gva2hva(vm, gva);
	struct kvm_vcpu *vcpus[2];
	uint64_t i, got;
	int64_t flushes;

	vcpus[0] = vm_vcpu_add(vm, 0, guest_exchange);
	vcpus[1] = vm_vcpu_add(vm, 1, guest_watch);
	for (i = 0; i < 2; i++)
		vcpu_args_set(vcpus[i], 1, gva);
	breadcrumb("exchange entries and drop the pages that they had");
	vcpu_thread_start(vcpus[1], run_watcher);
	for (i = 1; i < NR_PAGES; i++) {
		test_step("page %lu", i);
		s->watched = i;
		look_again(s);
		flushes = vm_tlb_flush_requests(vm);
		vcpu_expect_sync(vcpus[0], i);
		TEST_ERROR_ON(madvise(addr_gpa2hva(vm, s->data + i * PAGE_SIZE), PAGE_SIZE,
				      MADV_DONTNEED), "MADV_DONTNEED failed");
		got = look_again(s);
		TEST_ASSERT(got != i,
			    "the host has dropped gpa 0x%lx, and vCPU 1 still reads what it had",
			    s->data + i * PAGE_SIZE);
		TEST_ASSERT(!got || got == i + NR_PAGES,
			    "vCPU 1 reads %lu, want that of its new page, %lu, or 0", got,
			    i + NR_PAGES);
		vm_expect_tlb_flush(vm, flushes,
				    "an entry was exchanged, and the host dropped the page that it had");
	}
	vcpu_thread_stop(vcpus[1]);
	kvm_vm_free(vm);
}

/* ---- data that become a table ---- */

#define TABLE_AREA(n)	((201UL + (n)) << 39 | 3UL << 30 | 5UL << 21 | 7UL << 12)
#define NR_TABLES	4

/* Of the entries. */
FIXTURE_VARIANT(new_table) {
	int level;
};
KVM_FIXTURE(new_table)
FIXTURE_VARIANT_ADD(new_table, pt) { .level = PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(new_table, pd) { .level = PG_LEVEL_2M };

static void guest_use_as_tables(volatile uint64_t *const entry[], const gpa_t root[])
{
	unsigned int i;

	/* Written as data, so that all TLBs may have the page writable; not the first. */
	for (i = 1; i < NR_TABLES; i++)
		*entry[i] = *entry[i];
	for (i = 0; i < NR_TABLES; i++) {
		GUEST_SYNC(i);
		write_cr3(root[i]);
		GUEST_SYNC(guest_read64(TABLE_AREA(i)));
		*entry[i] += PAGE_SIZE;
		invlpg(TABLE_AREA(i));
		GUEST_SYNC(guest_read64(TABLE_AREA(i)));
	}
}

struct new_tables {
	gva_t entry[NR_TABLES];
	gpa_t root[NR_TABLES];
};

/*
 * The way to @n's page leads through tables, and from a root, that are its own; and
 * from an entry of @level to the next page behind what it leads to, to another one.
 */
static void add_table(struct kvm_vm *vm, struct new_tables *t, unsigned int n, int level)
{
	const gpa_t data = vm_phy_pages_alloc(vm, 2);
	uint64_t *pml4e, *pde;
	gpa_t at, pts;

	*(uint64_t *)addr_gpa2hva(vm, data) = 100 + n;
	*(uint64_t *)addr_gpa2hva(vm, data + PAGE_SIZE) = 200 + n;
	virt_pg_map(vm, TABLE_AREA(n), data);
	if (level == PG_LEVEL_2M) {
		pts = vm_phy_pages_alloc(vm, 2);
		at = vm_entry_gpa(vm, TABLE_AREA(n), PG_LEVEL_4K) % PAGE_SIZE;
		*(uint64_t *)addr_gpa2hva(vm, pts + at) = data | PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
		*(uint64_t *)addr_gpa2hva(vm, pts + PAGE_SIZE + at) =
			(data + PAGE_SIZE) | PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
		pde = addr_gpa2hva(vm, vm_entry_gpa(vm, TABLE_AREA(n), PG_LEVEL_2M));
		*pde = pts | PTE_PRESENT_MASK | PTE_WRITABLE_MASK;
	}
	at = vm_entry_gpa(vm, TABLE_AREA(n), level);
	t->entry[n] = vm_map_gpa(vm, align_down(at, PAGE_SIZE), PAGE_SIZE) + at % PAGE_SIZE;
	t->root[n] = virt_copy_root(vm, PG_LEVEL_512G);
	pml4e = addr_gpa2hva(vm, vm_entry_gpa(vm, TABLE_AREA(n), PG_LEVEL_512G));
	*pml4e = 0;
}

/* None of the tables has ever been one. The first shows what else flushes are for. */
KVM_TEST_F(new_table, was_data_that_are_flushed)
{
	struct kvm_vcpu *vcpu;
	struct new_tables *t;
	struct kvm_vm *vm;
	int64_t before, flushes, first = 0;
	unsigned int i;
	gva_t gva;

	__TEST_REQUIRE(!kvm_is_tdp_enabled(), "needs shadow paging: %s=0",
		       host_is_amd() ? "kvm_amd.npt" : "kvm_intel.ept");
	vm = vm_create_with_one_vcpu(&vcpu, guest_use_as_tables);
	gva = vm_alloc(vm, sizeof(*t));
	t = addr_gva2hva(vm, gva);
	for (i = 0; i < NR_TABLES; i++)
		add_table(vm, t, i, variant->level);
	vcpu_args_set(vcpu, 2, gva + offsetof(struct new_tables, entry),
		      gva + offsetof(struct new_tables, root));
	for (i = 0; i < NR_TABLES; i++) {
		vcpu_expect_sync(vcpu, i);
		breadcrumb("page %u becomes a page table", i);
		before = vm_tlb_flush_requests(vm);
		vcpu_expect_sync(vcpu, 100 + i);
		flushes = vm_tlb_flush_requests(vm) - before;
		if (!i)
			first = flushes;
		TEST_ASSERT_ORACLE(ORACLE_STATS, !i || before < 0 || flushes > first,
				   "page %u, gpa 0x%lx, was mapped writable and became a page table: KVM has asked for %ld TLB flushes meanwhile, as for a page that was not mapped (%ld)",
				   i, addr_gva2gpa(vm, t->entry[i]), flushes, first);
		vcpu_expect_sync(vcpu, 200 + i);
	}
	kvm_vm_free(vm);
}

/* ---- what a guest's store or flush changes in its shadow page ---- */

/* Where nothing is; in the page directory of AREA. */
#define UNUSED_PDE	100

enum flush_step {
	STORE_UNUSED_PDE, STORE_SAME_PDE, STORE_BYTE, SYNC_NOTHING, SYNC_SAME, SYNC_CHANGED,
	NR_FLUSH_STEPS,
};

static void guest_store_and_flush(volatile uint64_t *ptes, volatile uint64_t *pdes)
{
	const uint64_t pde = AREA >> 21 & 511;
	unsigned int i;

	for (i = 0; i < NR_FLUSH_STEPS; i++) {
		/* A use of the tables, so that stores are not taken for those to data. */
		if (i <= SYNC_NOTHING)
			guest_write64(AREA + PAGE_SIZE, 0);
		/* A sync after which no entry has been used, which is a flush of its own. */
		if (i >= SYNC_SAME)
			ptes[1] = ptes[1];
		write_cr3(read_cr3());
		if (i >= SYNC_SAME)
			ptes[1] = ptes[1] + (i == SYNC_CHANGED ? PAGE_SIZE : 0);
		GUEST_SYNC(i);
		if (i == STORE_UNUSED_PDE)
			pdes[UNUSED_PDE] = 0;
		else if (i == STORE_SAME_PDE)
			pdes[pde] = pdes[pde];
		else if (i == STORE_BYTE)
			((volatile uint8_t *)&pdes[UNUSED_PDE])[1] = 0;
		else
			write_cr3(read_cr3());
		GUEST_SYNC(i);
	}
}

#define ANYTHING	INT8_MIN

/* By how much each step has a statistic grow. 5.10 zaps what a sync finds changed. */
static const struct {
	const char *name;
	int8_t grows[NR_FLUSH_STEPS];
} step_stats[] = {
	{ "mmu_pte_write", { 1, 1, 1, 0, 0, 0 } },
	{ "mmu_pde_zapped", { 0, 1, 0, 0, 0, 0 } },
	{ "mmu_flooded", { 0, 0, 1, 0, 0, 0 } },
	{ "mmu_shadow_zapped", { 0, 0, 1, 0, 0, ANYTHING } },
	{ "mmu_unsync", { 0, 0, 0, 0, -1, -1 } },
	{ "mmu_cache_miss", { 0, 0, 0, 0, 0, 0 } },
};

static void expect_step_stats(struct kvm_vm *vm, unsigned int step, const char *what,
			      int64_t stats[ARRAY_SIZE(step_stats)])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(step_stats); i++) {
		int64_t grown = __vm_get_stat(vm, step_stats[i].name) - stats[i];

		TEST_ASSERT_ORACLE(ORACLE_STATS, step_stats[i].grows[step] == ANYTHING ||
				   grown == step_stats[i].grows[step],
				   "%s: %s has grown by %ld, want %d", what, step_stats[i].name,
				   grown, step_stats[i].grows[step]);
	}
}

/*
 * An entry of an upper table that was in use takes what it led to out of all TLBs, as
 * does one that a sync finds changed, and a table that is taken for one of data; a table
 * that a sync protects may not be written any more by a CPU that could until then. Only
 * the statistics show that reliably: a CPU may use what is stale in its TLB, or not.
 */
KVM_TEST(stores_and_syncs_flush)
{
	static const char *const what[] = {
		"store to a PDE that leads nowhere", "store to a PDE that is in use",
		"store of a byte, as none stores PDEs", "CR3 write after no edit", "CR3 write after a store of the same PTE",
		"CR3 write after another PTE was stored",
	};
	/* Which of the above each must have more flushes than; or itself. */
	static const unsigned int than[] = {
		STORE_UNUSED_PDE, STORE_UNUSED_PDE, STORE_UNUSED_PDE, SYNC_NOTHING, SYNC_NOTHING,
		SYNC_SAME,
	};
	int64_t before, misses = 0, flushes[NR_FLUSH_STEPS], stats[ARRAY_SIZE(step_stats)];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct shared *s;
	unsigned int i, j;
	gpa_t pde;

	__TEST_REQUIRE(!kvm_is_tdp_enabled(), "needs shadow paging: %s=0",
		       host_is_amd() ? "kvm_amd.npt" : "kvm_intel.ept");
	vm = vm_create_with_one_vcpu(&vcpu, guest_store_and_flush);
	s = addr_gva2hva(vm, create_shared(vm, BY_CR3));
	pde = align_down(vm_entry_gpa(vm, AREA, PG_LEVEL_2M), PAGE_SIZE);
	vcpu_args_set(vcpu, 2, s->ptes, vm_map_gpa(vm, pde, PAGE_SIZE));
	for (i = 0; i < NR_FLUSH_STEPS; i++) {
		vcpu_expect_sync(vcpu, i);
		breadcrumb("%s", what[i]);
		before = vm_tlb_flush_requests(vm);
		for (j = 0; j < ARRAY_SIZE(step_stats); j++)
			stats[j] = __vm_get_stat(vm, step_stats[j].name);
		vcpu_expect_sync(vcpu, i);
		flushes[i] = vm_tlb_flush_requests(vm) - before;
		expect_step_stats(vm, i, what[i], stats);
		if (i == STORE_BYTE)
			misses = vm_get_stat(vm, mmu_cache_miss);
		TEST_ASSERT_ORACLE(ORACLE_STATS, i != SYNC_NOTHING ||
				   vm_get_stat(vm, mmu_cache_miss) == misses + 1,
				   "a table that was zapped is in use again: mmu_cache_miss has grown by %ld, want 1",
				   vm_get_stat(vm, mmu_cache_miss) - misses);
		TEST_ASSERT_ORACLE(ORACLE_STATS, before < 0 || i == than[i] ||
				   flushes[i] > flushes[than[i]],
				   "%s: KVM has asked for %ld TLB flushes, want more than for a %s (%ld)",
				   what[i], flushes[i], what[than[i]], flushes[than[i]]);
	}
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
