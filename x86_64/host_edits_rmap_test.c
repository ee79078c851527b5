// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that the VMM edits behind KVM's back.
 *
 * A VMM, or a device that it emulates, may write to any page of guest memory, and
 * KVM is not told. Where that is a page table that KVM shadows, a guest that does
 * not flush may see what was there before; but whatever an entry is turned into, a
 * gap, another page, another table, a large page, a table at the place of a large
 * page, KVM must not lose track of what it has mapped: it takes all of it back when
 * the host's memory or the memslot goes.
 *
 * Bugs of this class: an entry that was there is taken for the one that belongs
 * there now, and what it maps is found in no reverse map, or in the wrong one.
 */
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(host_edits_rmap_test,
	.needs = { .mem_mb = 64, .timeout = 60 },
	.fixes = FIXES("aad885e77496 KVM: x86/mmu: Drop/zap existing present SPTE even when creating an MMIO SPTE",
		       "0cb2af2ea66a KVM: x86: Fix shadow paging use-after-free due to unexpected GFN",
		       "81ccda30b4e8 KVM: x86: Fix shadow paging use-after-free due to unexpected role"));

#define RAM_GPA		NESTED_GPA	/* two large pages, each begins with a table */
#define RAM_PAGES	1024UL
#define OTHER_RAM_GPA	(RAM_GPA + SZ_2M)
#define RAM_SLOT	NESTED_SLOT
#define GAP_GPA		0xe0000000UL
#define WINDOW		0x500000000000UL

/* What the host writes to the entry; tables map RAM, and every fourth page a gap. */
enum kind {
	NOTHING, RAM_PAGE, RAM_PAGE_RO, OTHER_RAM_PAGE, GAP_PAGE, GAP_PAGE_RO,
	/* Of the upper level only: */
	TABLE_IN_RAM, TABLE_IN_RAM_RO, TABLE_IN_OTHER_RAM, TABLE_ELSEWHERE,
	NR_KINDS
};

static const char *const kind_names[] = {
	"nothing", "RAM", "read-only RAM", "other RAM", "a gap", "a read-only gap",
	"a table in RAM", "a table in RAM, read-only", "a table in other RAM",
	"a table elsewhere",
};

#define NR_KINDS_OF_LEAVES	TABLE_IN_RAM

/* Those of a guest, or of an L1 for its L2. */
struct format {
	uint64_t (*leaf)(struct format *f, gpa_t gpa, int level, bool writable);
	uint64_t (*link)(struct format *f, gpa_t table, bool writable);
	struct kvm_vm *vm;
	struct nested *n;
	gpa_t elsewhere;		/* a table that is not in the RAM */
};

static uint64_t entry_of(struct format *f, enum kind kind, int level)
{
	switch (kind) {
	case RAM_PAGE: return f->leaf(f, RAM_GPA, level, true);
	case RAM_PAGE_RO: return f->leaf(f, RAM_GPA, level, false);
	case OTHER_RAM_PAGE: return f->leaf(f, OTHER_RAM_GPA, level, true);
	case GAP_PAGE: return f->leaf(f, GAP_GPA, level, true);
	case GAP_PAGE_RO: return f->leaf(f, GAP_GPA, level, false);
	case TABLE_IN_RAM: return f->link(f, RAM_GPA, true);
	case TABLE_IN_RAM_RO: return f->link(f, RAM_GPA, false);
	case TABLE_IN_OTHER_RAM: return f->link(f, OTHER_RAM_GPA, true);
	case TABLE_ELSEWHERE: return f->link(f, f->elsewhere, true);
	default: return 0;
	}
}

/* Also after the host has dropped the RAM that they are in. */
static void fill_tables(struct format *f)
{
	const gpa_t tables[] = { RAM_GPA, OTHER_RAM_GPA, f->elsewhere };
	uint64_t i, t, *table;

	for (t = 0; t < ARRAY_SIZE(tables); t++) {
		table = addr_gpa2hva(f->vm, tables[t]);
		for (i = 0; i < 512; i++)
			table[i] = f->leaf(f, i % 4 == 3 ? GAP_GPA + i * PAGE_SIZE :
					   RAM_GPA + (8 + i + 13 * t) * PAGE_SIZE,
					   PG_LEVEL_4K, true);
	}
}

/* All that KVM has mapped of it goes, by the ways that look at reverse maps. */
static void take_back(struct kvm_vm *vm, unsigned int round)
{
	void *hva = vm_get_mem_region(vm, RAM_SLOT)->mem.hva;

	if (round % 3 == 0) {
		vm_mem_region_set_flags(vm, RAM_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		vm_mem_region_set_flags(vm, RAM_SLOT, 0);
	}
	TEST_ERROR_ON(madvise(hva, RAM_PAGES * PAGE_SIZE, MADV_DONTNEED), "MADV_DONTNEED");
	if (round % 5 == 0)
		vm_mem_region_reload(vm, RAM_SLOT);
}

/* ---- a guest's tables ---- */

/* Page 0 and 3 are touched before and after, 1 and 2 and 7 after only. */
static const unsigned int before[] = { 0, 3 }, after[] = { 1, 0, 2, 3, 7, 0 };

static struct {
	uint64_t nr, page[8];
	uint64_t writes;		/* a bit for each */
	uint64_t flush;
} guest_order;

static void guest_touches(void)
{
	uint64_t i, gva;

	for (;;) {
		if (guest_order.flush)
			write_cr3(read_cr3());
		for (i = 0; i < guest_order.nr; i++) {
			gva = WINDOW + guest_order.page[i] * PAGE_SIZE;
			/* What is written is no entry, should it be a table. */
			if (guest_order.writes & BIT(i))
				kvm_asm_safe("movq $0, (%[gva])", [gva] "r"(gva));
			else
				kvm_asm_safe("cmpq $0, (%[gva])", [gva] "r"(gva));
		}
		GUEST_SYNC(0);
	}
}

static void touch(struct kvm_vcpu *vcpu, const unsigned int *pages, unsigned int nr,
		  uint64_t writes, bool flush)
{
	unsigned int i;

	guest_order.nr = nr;
	guest_order.writes = writes;
	guest_order.flush = flush;
	for (i = 0; i < nr; i++)
		guest_order.page[i] = pages[i];
	sync_global_to_guest(vcpu->vm, guest_order);
	do {
		vcpu_run(vcpu);
	} while (vcpu->run->exit_reason == KVM_EXIT_MMIO);
	if (get_ucall(vcpu, NULL) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "the guest's ucall");
}

static uint64_t guest_leaf(struct format *f, gpa_t gpa, int level, bool writable)
{
	(void)f;
	return gpa | PTE_PRESENT_MASK | PTE_ACCESSED_MASK | PTE_DIRTY_MASK |
	       (writable ? PTE_WRITABLE_MASK : 0) | (level > PG_LEVEL_4K ? PTE_LARGE_MASK : 0);
}

static uint64_t guest_link(struct format *f, gpa_t table, bool writable)
{
	return guest_leaf(f, table, PG_LEVEL_4K, writable);
}

KVM_FIXTURE(entry);
FIXTURE_VARIANT(entry) {
	int level;
	enum kind kinds;
};

FIXTURE_VARIANT_ADD(entry, of_4k) { PG_LEVEL_4K, NR_KINDS_OF_LEAVES };
FIXTURE_VARIANT_ADD(entry, of_2m) { PG_LEVEL_2M, NR_KINDS };

/* Seen in 5.10.262: BUG() in __pte_list_remove(). */
static void skip_known_bug(int level)
{
	__TEST_REQUIRE(level == PG_LEVEL_4K || kernel_at_least(6, 1) ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: the host goes down when a table is turned into a gap; --set known_bugs=1 makes it a failure");
}

KVM_TEST_F(entry, of_a_guest_is_turned_into_another)
{
	struct format f = { .leaf = guest_leaf, .link = guest_link };
	struct kvm_vcpu *vcpu;
	unsigned int round = 0;
	enum kind from, to;
	uint64_t *entry;

	if (!kvm_is_tdp_enabled())
		skip_known_bug(variant->level);
	f.vm = vm_create_with_one_vcpu(&vcpu, guest_touches);
	vm_userspace_mem_region_add(f.vm, VM_MEM_SRC_ANONYMOUS, RAM_GPA, RAM_SLOT, RAM_PAGES, 0);
	f.elsewhere = vm_phy_pages_alloc(f.vm, 1);
	virt_pg_map(f.vm, WINDOW, RAM_GPA);
	entry = addr_gpa2hva(f.vm, vm_entry_gpa(f.vm, WINDOW, variant->level));
	for (from = 0; from < variant->kinds; from++) {
		for (to = 0; to < variant->kinds; to++, round++) {
			breadcrumb("%s is turned into %s", kind_names[from], kind_names[to]);
			fill_tables(&f);
			*entry = entry_of(&f, from, variant->level);
			touch(vcpu, before, ARRAY_SIZE(before), 0, true);
			*entry = entry_of(&f, to, variant->level);
			touch(vcpu, after, ARRAY_SIZE(after), 0x2b, round % 2);
			take_back(f.vm, round);
		}
	}
	kvm_vm_free(f.vm);
}

/* ---- tables for an L2 ---- */

static uint64_t l2_leaf(struct format *f, gpa_t gpa, int level, bool writable)
{
	uint64_t ad = f->n->paging && !f->n->amd ? 0 : PTE_ACCESSED_MASK | PTE_DIRTY_MASK;

	return nested_leaf(f->n, gpa, level, writable ? NESTED_RWX : NESTED_R | NESTED_X) | ad;
}

static uint64_t l2_link(struct format *f, gpa_t table, bool writable)
{
	uint64_t link = nested_link(f->n, table);

	/* The writable bit is the same one in all formats. */
	return writable ? link : link & ~PTE_WRITABLE_MASK;
}

static void order_touches(struct nested_cpu *cpu, const unsigned int *pages, unsigned int nr,
			  uint64_t writes)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		nested_order(cpu, writes & BIT(i) ? L2_WRITE : L2_READ,
			     NESTED_L2_GVA + pages[i] * PAGE_SIZE, 0,
			     NESTED_WANT(ANY_OR_MMIO, 0));
}

static void turn_l2_entries(bool paging, int level, enum kind kinds)
{
	struct format f = { .leaf = l2_leaf, .link = l2_link };
	unsigned int round = 0;
	struct nested_cpu *cpu;
	static struct nested n;
	enum kind from, to;
	uint64_t *entry;

	skip_known_bug(level);
	cpu = nested_create_with_ram(&n, 1, paging);
	f.n = &n;
	f.vm = n.vm;
	f.elsewhere = nested_new_table(&n);
	nested_map(&n, 0, RAM_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	entry = nested_entry(&n, 0, level);
	for (from = 0; from < kinds; from++) {
		for (to = 0; to < kinds; to++, round++) {
			breadcrumb("%s is turned into %s", kind_names[from], kind_names[to]);
			fill_tables(&f);
			*entry = entry_of(&f, from, level);
			l1_flush(cpu);
			order_touches(cpu, before, ARRAY_SIZE(before), 0);
			if (round % 4 < 2)
				nested_run_in_l2(cpu, "%s", kind_names[from]);
			else
				nested_run(cpu, "%s", kind_names[from]);
			*entry = entry_of(&f, to, level);
			if (round % 2)
				l1_flush(cpu);
			order_touches(cpu, after, ARRAY_SIZE(after), 0x2b);
			nested_run(cpu, "%s was turned into %s", kind_names[from],
				   kind_names[to]);
			take_back(f.vm, round);
		}
	}
	nested_free(&n);
}

KVM_TEST_F(entry, for_an_l2_is_turned_into_another)
{
	turn_l2_entries(true, variant->level, variant->kinds);
}

KVM_TEST_F(entry, of_an_l2_is_turned_into_another)
{
	turn_l2_entries(false, variant->level, variant->kinds);
}

KVM_TEST_MAIN()
