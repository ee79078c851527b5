// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that switches between page tables, with and without PCIDs, and that
 * uses a page as a table here and as something else there: as a table of another
 * level, of itself, as data. What it edits behind a CR3's back counts when it is
 * back, as far as it was flushed. A page that is no table any more is memory like
 * any other. A CR3 that leads nowhere is the end of the guest, but not of the VM.
 *
 * What breaks this: roots that are remembered and not synced, or found by the
 * wrong CR3; shadow pages that outlive their table, or are taken for another
 * level; roots of before INIT.
 */
#include "guest_paging.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(guest_roots_test,
	.fixes = FIXES("21823fbda552 KVM: x86: Invalidate all PGDs for the current PCID on MOV CR3 w/ flush",
		"c6c937d673aa KVM: x86/mmu: Passing up the error state of mmu_alloc_shadow_roots()",
		"0aa1837533e5 KVM: x86: Properly reset MMU context at vCPU RESET/INIT"));

#define AD	(PTE_ACCESSED_MASK | PTE_DIRTY_MASK)

/* ---- many roots ---- */

#define MAX_ROOTS	6	/* KVM remembers three besides the current one */
#define NR_TABLES	4

/* All tables but the roots themselves are shared, with rights drawn at random. */
struct roots {
	gpa_t root[MAX_ROOTS];
	gpa_t pdpt[NR_TABLES], pd[NR_TABLES], pt[NR_TABLES];
};

static gpa_t random_of(const gpa_t tables[NR_TABLES])
{
	return tables[test_random() % NR_TABLES];
}

static uint64_t random_upper(const gpa_t tables[NR_TABLES])
{
	static const uint64_t rights[] = {
		PTE_RWU, PTE_RWU, PTE_RWU, PTE_RW, PTE_PRESENT_MASK | PTE_USER_MASK,
		PTE_RWU | PTE_NX_MASK,
	};

	return random_of(tables) | rights[test_random() % ARRAY_SIZE(rights)];
}

/* By the guest, or by the host without one. */
static void edit_something(struct paging *p, struct paging_cpu *cpu, struct roots *r)
{
	gpa_t entry = (1 + test_random() % 2) * 8;
	uint64_t value;

	switch (test_random() % 12) {
	case 0:
		entry += align_down(paging_entry(p, r->root[test_random() % MAX_ROOTS],
						 PAGING_GVA(200, 1, 1, 1), PG_LEVEL_512G),
				    PAGE_SIZE) + 200 * 8;
		value = random_upper(r->pdpt);
		break;
	case 1:
		entry += random_of(r->pdpt);
		value = random_upper(r->pd);
		break;
	case 2:
		entry += random_of(r->pd);
		value = random_upper(r->pt);
		break;
	default:
		entry += random_of(r->pt);
		value = paging_random_pte();
	}
	if (cpu)
		paging_write(cpu, entry, value);
	else
		paging_poke(p, entry, value);
}

static void roots_create(struct paging *p, struct roots *r)
{
	unsigned int i;

	paging_create(p, 1);
	for (i = 0; i < MAX_ROOTS; i++)
		r->root[i] = i ? paging_new_root(p) : p->root;
	for (i = 0; i < NR_TABLES; i++) {
		r->pdpt[i] = paging_new_table(p);
		r->pd[i] = paging_new_table(p);
		r->pt[i] = paging_new_table(p);
	}
	for (i = 0; i < 16; i++)
		paging_watch(p, PAGING_GVA(201 + i / 8, 1 + i / 4 % 2, 1 + i / 2 % 2,
					   1 + i % 2));
	for (i = 0; i < 200; i++)
		edit_something(p, NULL, r);
}

KVM_TEST(edits_between_cr3_switches)
{
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct roots r;
	struct paging p;

	roots_create(&p, &r);
	cpu = &p.cpu[0];
	breadcrumb("edit page tables and switch between %u roots", MAX_ROOTS);
	for (round = 0; round < 300; round++) {
		/* Mostly among a few, as KVM remembers but a few. */
		i = test_random() % (round % 3 ? 3 : MAX_ROOTS);
		paging_set_cr3(cpu, r.root[i]);
		paging_try_all(cpu);
		for (i = test_random() % 4; i; i--)
			edit_something(&p, cpu, &r);
		paging_try_all(cpu);
		if (round % 4 == 3)
			paging_run(cpu, "round %u", round);
	}
	paging_run(cpu, "the last round");
	paging_free(&p);
}

/* ---- PCIDs ---- */

FIXTURE_VARIANT(pcid) {
	bool invpcid;
};
KVM_FIXTURE(pcid)

FIXTURE_VARIANT_ADD(pcid, mov_cr3) { .invpcid = false };
FIXTURE_VARIANT_ADD(pcid, invpcid) { .invpcid = true };

static void flush_a_pcid(struct paging_cpu *cpu)
{
	unsigned int pcid = test_random() % PAGING_MAX_CONTEXTS;

	paging_invpcid(cpu, test_random() % 4, pcid,
		       cpu->p->watched[test_random() % cpu->p->nr_watched]);
}

KVM_TEST_F(pcid, edits_between_cr3_switches)
{
	const struct kvm_cpuid2 *cpuid = kvm_get_supported_cpuid();
	const struct kvm_cpuid_entry2 *e1 = get_cpuid_entry(cpuid, 1, 0);
	const struct kvm_cpuid_entry2 *e7 = get_cpuid_entry(cpuid, 7, 0);
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct roots r;
	struct paging p;

	__TEST_REQUIRE(e1 && e1->ecx & BIT(17), "needs PCID in the guest's CPUID: a CPU with it");
	__TEST_REQUIRE(!variant->invpcid || (e7 && e7->ebx & BIT(10)),
		       "needs INVPCID in the guest's CPUID: a CPU with it");
	roots_create(&p, &r);
	cpu = &p.cpu[0];
	paging_set_cr4(cpu, X86_CR4_PCIDE, true);
	breadcrumb("edit page tables and switch between PCIDs");
	for (round = 0; round < 200; round++) {
		i = test_random() % PAGING_MAX_CONTEXTS;
		/* Each PCID has a root of its own, until it gets another one. */
		paging_set_cr3(cpu, (cpu->root[i] && round % 8 ? cpu->root[i] | X86_CR3_NOFLUSH :
				     r.root[test_random() % MAX_ROOTS]) | i);
		paging_try_all(cpu);
		for (i = test_random() % 4; i; i--)
			edit_something(&p, cpu, &r);
		if (variant->invpcid && round % 2)
			flush_a_pcid(cpu);
		if (round % 5 == 0)
			paging_invlpg(cpu, p.watched[test_random() % p.nr_watched]);
		if (round % 7 == 0)
			paging_flush(cpu);
		paging_try_all(cpu);
		if (round % 4 == 3)
			paging_run(cpu, "round %u", round);
	}
	paging_free(&p);
}

/*
 * A PCID that is flushed by the load of another root is flushed for its earlier roots,
 * too: who goes back to one, without a flush, sees what its tables say by now.
 */
KVM_TEST(pcid_flush_reaches_earlier_roots)
{
	const struct kvm_cpuid_entry2 *e1 = get_cpuid_entry(kvm_get_supported_cpuid(), 1, 0);
	const gva_t gva = PAGING_GVA(200, 3, 5, 7);
	struct paging_cpu *cpu;
	gpa_t root, other, at;
	unsigned int round;
	struct paging p;

	__TEST_REQUIRE(e1 && e1->ecx & BIT(17), "needs PCID in the guest's CPUID: a CPU with it");
	paging_create(&p, 1);
	cpu = &p.cpu[0];
	root = paging_new_root(&p);
	other = paging_new_root(&p);
	at = paging_map(&p, root, gva, PG_LEVEL_4K, pool_data(7) | PTE_RWU | AD, PTE_RWU);
	paging_map(&p, other, gva, PG_LEVEL_4K, pool_data(8) | PTE_RWU | AD, PTE_RWU);
	paging_set_cr4(cpu, X86_CR4_PCIDE, true);
	for (round = 0; round < 4; round++) {
		breadcrumb("round %u: edit, load another root, go back", round);
		paging_write(cpu, at, pool_data(7) | PTE_RWU | AD);
		paging_set_cr3(cpu, root | 1);
		paging_access(cpu, PAGING_READ, gva, false);
		paging_write(cpu, at, pool_data(8) | PTE_RWU | AD);
		paging_set_cr3(cpu, other | 1);
		paging_access(cpu, PAGING_READ, gva, false);
		paging_set_cr3(cpu, root | 1 | X86_CR3_NOFLUSH);
		/* All that can be cached since the flush says the same as the tables. */
		memset(cpu->stale[1], false, sizeof(cpu->stale[1]));
		paging_access(cpu, PAGING_READ, gva, false);
		paging_set_cr3(cpu, p.root);
		paging_run(cpu, "round %u", round);
	}
	paging_free(&p);
}

/*
 * INVLPG is for global entries of all PCIDs: who goes back to one of them, without a
 * flush, sees what its table says by now.
 */
KVM_TEST(invlpg_reaches_global_pages_of_other_pcids)
{
	const struct kvm_cpuid_entry2 *e1 = get_cpuid_entry(kvm_get_supported_cpuid(), 1, 0);
	const gva_t gva = PAGING_GVA(200, 3, 5, 7);
	const uint64_t flags = PTE_RWU | PTE_GLOBAL_MASK | AD;
	struct paging_cpu *cpu;
	unsigned int round, i;
	gpa_t root[2], at[2];
	struct paging p;

	__TEST_REQUIRE(e1 && e1->ecx & BIT(17), "needs PCID in the guest's CPUID: a CPU with it");
	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < 2; i++) {
		root[i] = paging_new_root(&p);
		at[i] = paging_map(&p, root[i], gva, PG_LEVEL_4K, pool_data(7) | flags, PTE_RWU);
	}
	paging_set_cr4(cpu, X86_CR4_PCIDE, true);
	for (round = 0; round < 8; round++) {
		breadcrumb("round %u: edit global pages of two PCIDs, and INVLPG in one", round);
		for (i = 0; i < 2; i++) {
			paging_set_cr3(cpu, root[i] | (1 + i));
			paging_access(cpu, PAGING_READ, gva, false);
		}
		for (i = 0; i < 2; i++)
			paging_write(cpu, at[i], pool_data(8 + round) | flags);
		paging_invlpg(cpu, gva);
		paging_access(cpu, PAGING_READ, gva, false);
		paging_set_cr3(cpu, root[0] | 1 | X86_CR3_NOFLUSH);
		/* Nothing that was cached before is left. */
		memset(cpu->stale[1], false, sizeof(cpu->stale[1]));
		paging_access(cpu, PAGING_READ, gva, false);
		paging_set_cr3(cpu, p.root);
		paging_run(cpu, "round %u", round);
	}
	paging_free(&p);
}

/* ---- tables that map themselves ---- */

#define SELF	210

/* The table of @level on the way to @gva, as the self-map shows it. */
static gva_t self_map(gva_t gva, int level)
{
	gva_t v = gva;
	int l;

	for (l = PG_LEVEL_NONE; l < level; l++)
		v = v >> 9 | (gva_t)SELF << 39;
	return v & ~7UL;
}

KVM_TEST(tables_that_map_themselves)
{
	const gva_t first = PAGING_GVA(200, 3, 5, 1);
	struct paging_cpu *cpu;
	unsigned int round, i;
	struct paging p;
	gva_t gva, via;
	uint64_t value;
	int level;

	vm_use_top_level(PG_LEVEL_512G);
	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < 8; i++)
		paging_map(&p, p.root, first + i * PAGE_SIZE, PG_LEVEL_4K,
			   pool_data(i) | PTE_RWU, PTE_RWU);
	paging_poke(&p, p.root + SELF * 8, p.root | PTE_RW);
	for (level = PG_LEVEL_4K; level <= PG_LEVEL_512G; level++)
		paging_watch(&p, self_map(first, level));
	breadcrumb("edit page tables through themselves");
	for (round = 0; round < 40; round++) {
		for (i = 0; i < 6; i++) {
			gva = first + test_random() % 8 * PAGE_SIZE;
			level = 1 + test_random() % 4;
			via = self_map(gva, level);
			paging_try(cpu, PAGING_READ, via, false, false);
			/* Of an upper entry, only the rights change. */
			value = paging_entry(&p, p.root, gva, level);
			value = level == PG_LEVEL_4K ? paging_random_pte() :
				(paging_model(&p, value) & PHYSICAL_PAGE_MASK) |
				(test_random() % 4 ? PTE_RWU : PTE_RW);
			paging_try_store(cpu, via, value);
			if (i % 2)
				paging_try_all(cpu);
		}
		if (round % 2)
			paging_flush(cpu);
		for (i = 0; i < p.nr_watched; i++)
			paging_invlpg(cpu, p.watched[i]);
		paging_try_all(cpu);
		paging_run(cpu, "round %u", round);
		paging_check_pool(&p, "edited through itself");
	}
	paging_free(&p);
}

/* ---- a table of two levels ---- */

#define TWO_LEVELS	4

/* The pages that a page table maps are, when it is used as a page directory, page tables. */
KVM_TEST(one_page_is_a_table_at_two_levels)
{
	struct paging_cpu *cpu;
	gpa_t table, leaf[TWO_LEVELS], pdpt;
	unsigned int round, i, j;
	struct paging p;
	uint64_t value;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < TWO_LEVELS; i++) {
		leaf[i] = paging_new_table(&p);
		paging_map(&p, p.root, PAGING_GVA(200, 3, 5, 1 + i), PG_LEVEL_4K,
			   leaf[i] | PTE_RWU, PTE_RWU);
	}
	table = align_down(paging_entry(&p, p.root, PAGING_GVA(200, 3, 5, 1), PG_LEVEL_4K),
			   PAGE_SIZE);
	pdpt = align_down(paging_entry(&p, p.root, PAGING_GVA(200, 3, 5, 1), PG_LEVEL_1G),
			  PAGE_SIZE);
	paging_poke(&p, pdpt + 4 * 8, table | PTE_RWU);
	for (i = 0; i < TWO_LEVELS; i++)
		for (j = 0; j < 4; j++)
			paging_watch(&p, PAGING_GVA(200, 4, 1 + i, 1 + j));
	breadcrumb("use a page table as a page directory, too");
	for (round = 0; round < 40; round++) {
		paging_try_all(cpu);
		for (i = 0; i < 6; i++) {
			j = test_random() % TWO_LEVELS;
			value = paging_random_pte();
			switch (test_random() % 3) {
			case 0:	/* a PTE, and so a PDE */
				paging_write(cpu, table + (1 + j) * 8,
					     leaf[test_random() % TWO_LEVELS] |
					     (test_random() % 3 ? PTE_RWU : PTE_RW));
				break;
			case 1:	/* through what is a page as well as a table */
				paging_try_store(cpu, PAGING_GVA(200, 3, 5, 1 + j) +
						 (1 + test_random() % 4) * 8, value);
				break;
			default:
				paging_write(cpu, leaf[j] + (1 + test_random() % 4) * 8, value);
			}
		}
		paging_try_all(cpu);
		paging_flush(cpu);
		paging_try_all(cpu);
		paging_run(cpu, "round %u", round);
		paging_check_pool(&p, "page table that is a page directory");
	}
	paging_free(&p);
}

/* ---- from a table to data and back ---- */

FIXTURE_VARIANT(table) {
	int level;
};
KVM_FIXTURE(table)

FIXTURE_VARIANT_ADD(table, pt) { .level = PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(table, pd) { .level = PG_LEVEL_2M };
FIXTURE_VARIANT_ADD(table, pdpt) { .level = PG_LEVEL_1G };

/* Writes that KVM had to see may go on for a bit, but not for ever. */
#define MAX_TRAPPED	24

static void write_whole_page(struct paging_cpu *cpu, gva_t gva)
{
	unsigned int i;

	for (i = 0; i < 512; i++)
		paging_try_store(cpu, gva + i * 8, 0x1dea000000000000UL | test_random() << 8);
	paging_run(cpu, "a former table is written as data");
}

KVM_TEST_F(table, becomes_data_and_a_table_again)
{
	const gva_t gva = PAGING_GVA(200, 3, 5, 7), data = PAGING_GVA(201, 3, 5, 7);
	const int level = variant->level;
	gpa_t parent, table, other;
	struct paging_cpu *cpu;
	int64_t before, after;
	struct paging p;
	unsigned int round;
	uint64_t entry;
	gpa_t at;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	paging_map(&p, p.root, gva, PG_LEVEL_4K, pool_data(7) | PTE_RWU, PTE_RWU);
	at = paging_entry(&p, p.root, gva, level);
	table = align_down(at, PAGE_SIZE);
	entry = paging_peek(&p, at);
	parent = paging_entry(&p, p.root, gva, level + 1);
	other = paging_new_table(&p);
	paging_poke(&p, other + at % PAGE_SIZE, entry);
	/* As data it is mapped all the time; the TLB has it, writable. */
	paging_map(&p, p.root, data, PG_LEVEL_4K, table | PTE_RW | AD, PTE_RWU);
	for (round = 0; round < 4; round++) {
		breadcrumb("round %u: a table of level %d becomes data", round, level);
		paging_try_all(cpu);
		paging_write(cpu, parent, other | PTE_RWU);
		paging_flush(cpu);
		paging_try_all(cpu);
		write_whole_page(cpu, data);
		paging_check_pool(&p, "a former table written as data");
		if (!vm_read_stat(p.vm, "mmu_pte_write", &before))
			before = 0;
		write_whole_page(cpu, data);
		if (!vm_read_stat(p.vm, "mmu_pte_write", &after))
			after = 0;
		TEST_ASSERT_ORACLE(ORACLE_STATS, after - before < MAX_TRAPPED,
				   "round %u: the page at gpa 0x%lx is no page table any more and was written once, but of 512 more writes KVM took %ld for edits of a page table",
				   round, table, after - before);
		paging_try_all(cpu);
		/* And back; zeroed as a page allocator would. */
		breadcrumb("round %u: data becomes a table of level %d", round, level);
		paging_try_store(cpu, data + DATA_WORD_OFFSET, 0);
		paging_try_store(cpu, data + at % PAGE_SIZE, entry);
		paging_write(cpu, parent, table | PTE_RWU);
		paging_flush(cpu);
		paging_try_all(cpu);
		/* Edited through the old mapping for data. */
		paging_try_store(cpu, data + at % PAGE_SIZE, entry ^ PTE_WRITABLE_MASK);
		paging_flush(cpu);
		paging_try_all(cpu);
		paging_try_store(cpu, data + at % PAGE_SIZE, entry);
		paging_try_all(cpu);
		paging_run(cpu, "data has become a table of level %d", level);
	}
	paging_free(&p);
}

/* ---- no page tables at all ---- */

struct saved_cpu {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_vcpu_events events;
};

/* The guest is at its GUEST_SYNC, whose port access is completed. */
static void cpu_save(struct kvm_vcpu *vcpu, struct saved_cpu *s)
{
	vcpu_run_complete_io(vcpu);
	vcpu_regs_get(vcpu, &s->regs);
	vcpu_sregs_get(vcpu, &s->sregs);
	vcpu_ioctl(vcpu, KVM_GET_VCPU_EVENTS, &s->events);
}

static void cpu_restore(struct kvm_vcpu *vcpu, struct saved_cpu *s)
{
	struct kvm_mp_state mp_state = { .mp_state = KVM_MP_STATE_RUNNABLE };

	vcpu_sregs_set(vcpu, &s->sregs);
	vcpu_regs_set(vcpu, &s->regs);
	vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &s->events);
	vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &mp_state);
}

/*
 * With TDP it is the CPU that finds no page tables, again and again as it tries to
 * deliver the faults that this makes, and there is no word of what KVM does then;
 * but user space gets its vCPU back.
 */
static void expect_end(struct paging_cpu *cpu, gpa_t cr3)
{
	struct kvm_vcpu *vcpu = cpu->vcpu;
	bool tdp = cpu->p->tdp;
	int ret = tdp ? __vcpu_run_for(vcpu, 20) : _vcpu_run(vcpu);

	if (tdp && ((ret < 0 && errno == EINTR) ||
		    (!ret && vcpu->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)))
		return;
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret,
			   "KVM_RUN with CR3 0x%lx, where no memslot is, returned %d, errno %d (%s)",
			   cr3, ret, errno, strerror(errno));
	if (vcpu->run->exit_reason != KVM_EXIT_SHUTDOWN)
		vcpu_unexpected_exit(vcpu, "KVM_EXIT_SHUTDOWN, as CR3 leads to no memslot");
}

KVM_TEST(cr3_without_memory)
{
	static const gpa_t nowhere[] = { PAGING_GAP_GPA, 0, 0xf0000000 };
	struct paging_cpu *cpu;
	struct saved_cpu saved;
	struct kvm_sregs bad;
	unsigned int i, by_host;
	struct paging p;

	paging_create(&p, 1);
	cpu = &p.cpu[0];
	for (i = 0; i < 8; i++)
		paging_map(&p, p.root, PAGING_GVA(200, 3, 5, 1 + i), PG_LEVEL_4K,
			   pool_data(i) | PTE_RWU, PTE_RWU);
	for (i = 0; i < 2 * ARRAY_SIZE(nowhere); i++) {
		by_host = i % 2;
		paging_try_all(cpu);
		paging_run(cpu, "before CR3 0x%lx", nowhere[i / 2]);
		cpu_save(cpu->vcpu, &saved);
		breadcrumb("CR3 0x%lx by the %s", nowhere[i / 2], by_host ? "host" : "guest");
		if (by_host) {
			bad = saved.sregs;
			bad.cr3 = nowhere[i / 2];
			vcpu_sregs_set(cpu->vcpu, &bad);
		} else {
			cpu->box->step[0] = (struct paging_step){
				.op = PAGING_SET_CR3, .value = nowhere[i / 2],
			};
			cpu->box->nr = 1;
		}
		expect_end(cpu, nowhere[i / 2]);
		/* Nor a second time. */
		expect_end(cpu, nowhere[i / 2]);
		breadcrumb("repair after CR3 0x%lx", nowhere[i / 2]);
		cpu->box->nr = 0;
		cpu_restore(cpu->vcpu, &saved);
		paging_try_all(cpu);
		paging_run(cpu, "repaired after CR3 0x%lx", nowhere[i / 2]);
	}
	paging_free(&p);
}

/* ---- INIT ---- */

#define RESET_SLOT	3
#define RESET_GPA	0xfffff000UL
#define RESET_PORT	0xee

/* Real mode, no paging: the reset vector is at its gpa, whatever CR3 was. */
static void expect_reset_code(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	vcpu_run(vcpu);
	if (run->exit_reason != KVM_EXIT_IO || run->io.port != RESET_PORT ||
	    *((uint8_t *)run + run->io.data_offset) != 0x5a)
		vcpu_unexpected_exit(vcpu, "the OUT of the code at the reset vector");
	vcpu_run_complete_io(vcpu);
}

KVM_TEST(init_takes_the_page_tables_away)
{
	/* mov $0x5a, %al; out %al, $RESET_PORT; hlt */
	static const uint8_t code[] = { 0xb0, 0x5a, 0xe6, RESET_PORT, 0xf4 };
	struct kvm_vcpu_events events;
	struct paging_cpu *cpu;
	struct saved_cpu saved;
	unsigned int round;
	struct paging p;

	__TEST_REQUIRE(host_is_amd() || kvm_is_tdp_enabled(),
		       "needs ept=1 for real mode on Intel");
	paging_create(&p, 1);
	cpu = &p.cpu[0];
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS, RESET_GPA, RESET_SLOT,
				    1, 0);
	memcpy(addr_gpa2hva(p.vm, RESET_GPA + 0xff0), code, sizeof(code));
	/* The gva of the reset vector is another page for the guest before. */
	paging_map(&p, p.root, PAGING_GVA(200, 3, 511, 511), PG_LEVEL_4K,
		   pool_data(7) | PTE_RWU, PTE_RWU);
	for (round = 0; round < 4; round++) {
		paging_try_all(cpu);
		paging_run(cpu, "before INIT %u", round);
		cpu_save(cpu->vcpu, &saved);
		breadcrumb("INIT %u", round);
		events = saved.events;
		events.flags |= KVM_VCPUEVENT_VALID_SMM;
		events.smi.latched_init = 1;
		vcpu_ioctl(cpu->vcpu, KVM_SET_VCPU_EVENTS, &events);
		expect_reset_code(cpu->vcpu);
		breadcrumb("KVM_SET_SREGS after INIT %u", round);
		cpu_restore(cpu->vcpu, &saved);
		paging_try_all(cpu);
		paging_run(cpu, "after INIT %u", round);
	}
	paging_free(&p);
}

KVM_TEST_MAIN()
