// SPDX-License-Identifier: GPL-2.0-only
/*
 * L1's tables for its L2: nested page tables, or L2's page tables. What they say
 * is what L2 gets: which page, with which rights, and else a fault with the right
 * address and error code; at once where the architecture wants no flush, and after
 * a flush in any case.
 *
 * What breaks this: shadow pages that are not synchronized when L2 is entered; roots
 * and roles of the nested MMU that are those of another MMU, of L2's registers, or of
 * a root that L1 no longer uses; reserved bits by the wrong CPU's rules.
 */
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_mmu_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("07ffaf343e34 KVM: nVMX: Sync all PGDs on nested transition with shadow paging"));

#define NPAGES		8
#define PAGE_GPA(i)	(NESTED_GPA + (i) * PAGE_SIZE)
#define PAGE_OFF(i)	((i) * PAGE_SIZE)
#define WORD(i)		NESTED_WORD(i)
#define CODE		PATTERN_CODE_OFFSET

NESTED_VARIANTS(l2)

/* ---- edits ---- */

KVM_TEST_F(l2, sees_pages_unmapped_and_mapped)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < 2 * NPAGES; i++) {
		unsigned int from = i % NPAGES, to = (i + 3) % NPAGES;

		l2_read(cpu, PAGE_OFF(from), WORD(from));
		l1_edit(cpu, PAGE_OFF(from), PG_LEVEL_4K, nested_ram_leaf(cpu, to, NESTED_RWX));
		l2_read(cpu, PAGE_OFF(from), WORD(to));
		l1_edit(cpu, PAGE_OFF(from), PG_LEVEL_4K, 0);
		l2_fault(cpu, L2_READ, PAGE_OFF(from), 0);
		l2_fault(cpu, L2_EXEC, PAGE_OFF(from) + CODE, PFERR_FETCH_MASK);
		/* What was not present is nowhere remembered. */
		l1_set_entry(cpu, PAGE_OFF(from), PG_LEVEL_4K,
			     nested_ram_leaf(cpu, from, NESTED_RWX));
		l2_read(cpu, PAGE_OFF(from), WORD(from));
		l2_exec(cpu, PAGE_OFF(from) + CODE);
		nested_run(cpu, "page %u, then %u, then none, then %u", from, to, from);
	}
	nested_free(&n);
}

KVM_TEST_F(l2, loses_and_gains_rights)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < NPAGES; i++) {
		uint64_t off = PAGE_OFF(i);

		l2_write(cpu, off + 8, i);
		l2_exec(cpu, off + CODE);
		l1_edit(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, i, NESTED_R | NESTED_X));
		l2_fault(cpu, L2_WRITE, off, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, off, WORD(i));
		l2_exec(cpu, off + CODE);
		l1_edit(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, i, NESTED_RW));
		l2_write(cpu, off + 8, ~i);
		l2_fault(cpu, L2_EXEC, off + CODE, PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, off + 8, ~i);
		l1_edit(cpu, off, PG_LEVEL_4K, nested_ram_leaf(cpu, i, NESTED_RWX));
		l2_exec(cpu, off + CODE);
		l1_read(cpu, PAGE_GPA(i) + 8, ~i);
		nested_run(cpu, "page %u", i);
	}
	nested_free(&n);
}

/* A 2M leaf becomes a table, one page of which is changed, and a leaf again. */
KVM_TEST_F(l2, sees_large_leaves_split_and_joined)
{
	struct nested_cpu *cpu;
	struct nested n;
	uint64_t large, link;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	/* The table, which is not in use at first. */
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	link = *nested_entry(&n, 0, PG_LEVEL_2M);
	large = nested_leaf(&n, NESTED_GPA, PG_LEVEL_2M, NESTED_RWX);
	*nested_entry(&n, PAGE_OFF(5), PG_LEVEL_4K) = nested_ram_leaf(cpu, 600, NESTED_RW);
	*nested_entry(&n, PAGE_OFF(6), PG_LEVEL_4K) = nested_ram_leaf(cpu, 6, NESTED_R);
	*nested_entry(&n, PAGE_OFF(7), PG_LEVEL_4K) = 0;
	*nested_entry(&n, 0, PG_LEVEL_2M) = large;
	for (i = 0; i < 5; i++) {
		l2_read(cpu, PAGE_OFF(5), WORD(5));
		l2_write(cpu, PAGE_OFF(6) + 8, i);
		l2_read(cpu, PAGE_OFF(7), WORD(7));
		l2_exec(cpu, PAGE_OFF(511) + CODE);
		l1_edit(cpu, 0, PG_LEVEL_2M, link);
		l2_read(cpu, PAGE_OFF(5), WORD(600));
		l2_fault(cpu, L2_WRITE, PAGE_OFF(6) + 8,
			 PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		l2_read(cpu, PAGE_OFF(6) + 8, i);
		l2_fault(cpu, L2_READ, PAGE_OFF(7), 0);
		l2_read(cpu, PAGE_OFF(511), WORD(511));
		/* To other pages, and back. */
		l1_edit(cpu, 0, PG_LEVEL_2M,
		     nested_leaf(&n, NESTED_GPA + SZ_2M, PG_LEVEL_2M, NESTED_R));
		l2_read(cpu, PAGE_OFF(5), WORD(512 + 5));
		l2_fault(cpu, L2_EXEC, PAGE_OFF(5) + CODE,
			 PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		l1_edit(cpu, 0, PG_LEVEL_2M, large);
		nested_run(cpu, "round %u", i);
	}
	nested_free(&n);
}

/* L2 has the table mapped and writes the entry itself. */
KVM_TEST_F(l2, writes_the_tables)
{
	const uint64_t table_off = SZ_2M;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	gpa_t table;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	table = align_down(nested_entry_gpa(&n, 0, PG_LEVEL_4K), PAGE_SIZE);
	nested_map(&n, table_off, table, PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	for (i = 0; i < NPAGES; i++) {
		unsigned int to = (i + 3) % NPAGES;

		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l2_write(cpu, table_off + 8 * i, 0);
		l1_flush(cpu);
		l2_fault(cpu, L2_READ, PAGE_OFF(i), 0);
		l2_write(cpu, table_off + 8 * i, nested_ram_leaf(cpu, to, NESTED_RW));
		l2_read(cpu, PAGE_OFF(i), WORD(to));
		l2_fault(cpu, L2_EXEC, PAGE_OFF(i) + CODE,
			 PFERR_FETCH_MASK | PFERR_PRESENT_MASK);
		l2_write(cpu, table_off + 8 * i, nested_ram_leaf(cpu, i, NESTED_R));
		if (variant->paging)
			l1_flush(cpu);
		else
			nested_order(cpu, L2_INVLPG, NESTED_L2_GVA + PAGE_OFF(i), 0,
				     NESTED_WANT(ANY, 0));
		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l2_fault(cpu, L2_WRITE, PAGE_OFF(i),
			 PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		nested_run(cpu, "entry %u", i);
	}
	nested_free(&n);
}

/*
 * L1's stores to a table that KVM shadows are KVM's to emulate. Those that it cannot, the
 * guest makes itself, when KVM has given up what it shadows of the table.
 */
KVM_TEST_F(l2, sees_stores_that_kvm_cannot_emulate, .timeout = 10)
{
	struct nested_cpu *cpu;
	gpa_t tables[2];
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	nested_map(&n, 0, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	tables[0] = align_down(nested_entry_gpa(&n, 0, PG_LEVEL_4K), PAGE_SIZE);
	tables[1] = nested_new_table(&n);
	for (i = 0; i < NPAGES; i++)
		*(uint64_t *)addr_gpa2hva(n.vm, tables[1] + i * 8) =
			nested_ram_leaf(cpu, (i + 3) % NPAGES, NESTED_RWX);
	for (i = 0; i < NPAGES; i++) {
		unsigned int to = (i + 5) % NPAGES, table = i % 2;

		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l1_set_entry_x87(cpu, PAGE_OFF(i), PG_LEVEL_4K,
				 nested_ram_leaf(cpu, to, NESTED_RW));
		l1_flush(cpu);
		l2_read(cpu, PAGE_OFF(i), WORD(to));
		l1_set_entry_x87(cpu, PAGE_OFF(i), PG_LEVEL_4K, 0);
		l1_flush(cpu);
		l2_fault(cpu, L2_READ, PAGE_OFF(i), 0);
		l1_set_entry_x87(cpu, PAGE_OFF(i), PG_LEVEL_4K,
				 nested_ram_leaf(cpu, i, NESTED_RWX));
		l1_set_entry_x87(cpu, 0, PG_LEVEL_2M, nested_link(&n, tables[!table]));
		l1_flush(cpu);
		l2_read(cpu, PAGE_OFF(i), WORD(table ? i : (i + 3) % NPAGES));
		l1_set_entry_x87(cpu, 0, PG_LEVEL_2M, nested_link(&n, tables[0]));
		l1_flush(cpu);
		nested_run(cpu, "entry %u", i);
	}
	nested_free(&n);
}

/*
 * L1 has its tables in a large page, which KVM maps as such until it shadows the
 * tables; L2 has that page mapped as well, with a large leaf and by parts.
 */
KVM_TEST_F(l2, sees_tables_in_a_large_page_edited, .huge_2m = 1)
{
	const gpa_t large = NESTED_GPA + 8 * SZ_2M, table = large + 5 * PAGE_SIZE;
	const gpa_t directory = large + 300 * PAGE_SIZE;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, large, 2,
				    SZ_2M / PAGE_SIZE, 0);
	nested_map(&n, 4 * SZ_2M, large, SZ_2M, PG_LEVEL_2M, NESTED_RW);
	nested_map(&n, SZ_2M, large, 8 * PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	l1_write(cpu, large, 1);
	l2_read(cpu, 4 * SZ_2M, 1);
	/* Offset 0 is behind the table, offset 1G behind table and directory. */
	l1_write(cpu, directory, nested_link(&n, table));
	for (i = 0; i < NPAGES; i++)
		l1_write(cpu, table + 8 * i, nested_ram_leaf(cpu, i, NESTED_RW));
	nested_run(cpu, "a large page is filled");
	*nested_entry(&n, 0, PG_LEVEL_2M) = nested_link(&n, table);
	for (i = 0; i < NPAGES; i++) {
		unsigned int to = (i + 3) % NPAGES;

		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l1_write(cpu, table + 8 * i, nested_ram_leaf(cpu, to, NESTED_R));
		l1_flush(cpu);
		l2_read(cpu, PAGE_OFF(i), WORD(to));
		l2_fault(cpu, L2_WRITE, PAGE_OFF(i), PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		/* By L2 itself, through either of its mappings. */
		l2_write(cpu, (i % 2 ? SZ_2M : 4 * SZ_2M) + table - large + 8 * i,
			 nested_ram_leaf(cpu, i, NESTED_RW));
		l1_flush(cpu);
		l2_read(cpu, PAGE_OFF(i), WORD(i));
		l2_write(cpu, PAGE_OFF(i) + 8, i);
		l2_read(cpu, 4 * SZ_2M, 1);
		nested_run(cpu, "entry %u of a table in a large page", i);
	}
	/* The directory comes into use, and is pointed elsewhere. */
	l1_edit(cpu, 0, PG_LEVEL_1G, nested_link(&n, directory));
	l2_read(cpu, 0, WORD(0));
	l2_fault(cpu, L2_READ, 4 * SZ_2M, 0);
	l1_write(cpu, directory, nested_leaf(&n, NESTED_GPA + SZ_2M, PG_LEVEL_2M, NESTED_R));
	l1_flush(cpu);
	l2_read(cpu, 0, WORD(512));
	l1_write(cpu, directory, nested_link(&n, table));
	l1_flush(cpu);
	l2_read(cpu, PAGE_OFF(3), WORD(3));
	nested_run(cpu, "a directory in a large page");
	nested_free(&n);
}

#define NR_BELOW	64

/*
 * A page that L1 stores to again and again is no table any more for KVM. What was below
 * it for L2 is not kept either: L1 hardly comes back to it, and it would add up.
 */
KVM_TEST(tables_go_with_the_table_above)
{
	int64_t before, after, flushes;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	bool known;

	cpu = nested_create_with_ram(&n, 1, true);
	nested_map(&n, 0, NESTED_GPA, NR_BELOW * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < NR_BELOW; i++)
		l2_read(cpu, PAGE_OFF(i), WORD(i));
	nested_run(cpu, "pages of one table");
	flushes = vm_tlb_flush_requests(n.vm);
	known = vm_read_stat(n.vm, "pages_4k", &before);
	breadcrumb("L1 stores to a page directory, and L2 does not use it");
	for (i = 0; i < 8; i++)
		l1_set_entry(cpu, (100 + i) * SZ_2M, PG_LEVEL_2M, 0);
	nested_run(cpu, "stores to a page directory");
	if (known && vm_read_stat(n.vm, "pages_4k", &after))
		TEST_ASSERT_ORACLE(ORACLE_STATS, before - after >= NR_BELOW / 2,
				   "%u pages were mapped for L2 by a table below a page directory that KVM has dropped: pages_4k was %ld, and is %ld",
				   NR_BELOW, before, after);
	vm_expect_tlb_flush(n.vm, flushes, "tables of L1 for its L2 were dropped");
	for (i = 0; i < NR_BELOW; i += 7)
		l2_read(cpu, PAGE_OFF(i), WORD(i));
	nested_run(cpu, "pages of that table again");
	nested_free(&n);
}

/* ---- two vCPUs ---- */

#define NR_EDITS	24

static struct nested_cpu *editor_cpu;

/* Page 0, page 1, none: without a word to the other vCPU. */
static void edit_until_stopped(struct kvm_vcpu *vcpu)
{
	struct nested_cpu *cpu = editor_cpu;
	unsigned int i, turn, page;

	/* Each time another one is there between two runs. */
	for (turn = 0; !vcpu->stop; turn++) {
		for (i = 0; i < NR_EDITS; i++) {
			page = (turn + i) % 3;
			l1_set_entry(cpu, 0, PG_LEVEL_4K,
				     page == 2 ? 0 : nested_ram_leaf(cpu, page, NESTED_RW));
		}
		nested_run(cpu, "another vCPU reads through the entry");
	}
}

/* An entry of L2 may see either page, or the fault, and nothing else. */
static void check_reads(struct nested_cpu *cpu, unsigned int seen[3])
{
	const struct nested_step *s;
	unsigned int i;

	for (i = 0; i < NR_EDITS; i++) {
		s = &cpu->box->step[2 * i];
		if (s->exit || s->vector) {
			TEST_ASSERT(s->fault_addr == nested_addr(cpu->n, 0) &&
				    !(s->error_code & ~PFERR_PRESENT_MASK),
				    "L2's read faults at 0x%lx with error code 0x%lx, want 0x%lx and 0",
				    s->fault_addr, s->error_code, nested_addr(cpu->n, 0));
			seen[2]++;
		} else {
			TEST_ASSERT(s->got == WORD(0) || s->got == WORD(1),
				    "L2 reads 0x%lx, want page 0's 0x%lx or page 1's 0x%lx",
				    s->got, WORD(0), WORD(1));
			seen[s->got == WORD(1)]++;
		}
	}
}

KVM_TEST_F(l2, sees_what_another_vcpu_maps)
{
	unsigned int i, seen[3] = {};
	struct nested_cpu *cpu;
	struct nested n;

	cpu = nested_create_with_ram(&n, 2, variant->paging);
	nested_map(&n, 0, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	editor_cpu = &n.cpu[1];
	vcpu_thread_start(editor_cpu->vcpu, edit_until_stopped);
	for (i = 0; i < 12; i++) {
		for (unsigned int k = 0; k < NR_EDITS; k++) {
			nested_order(cpu, L2_READ, NESTED_L2_GVA, 0, NESTED_WANT(ANY, 0));
			l1_flush(cpu);
		}
		nested_run(cpu, "reads while another vCPU edits, round %u", i);
		check_reads(cpu, seen);
	}
	vcpu_thread_stop(editor_cpu->vcpu);
	pr_info("L2 has seen page 0 %u times, page 1 %u times, neither %u times", seen[0],
		seen[1], seen[2]);
	for (i = 0; i < 3; i++) {
		l1_set_entry(editor_cpu, 0, PG_LEVEL_4K, nested_ram_leaf(cpu, i, NESTED_RW));
		nested_run(editor_cpu, "the last edits");
		l1_flush(cpu);
		l2_read(cpu, 0, WORD(i));
		nested_run(cpu, "after the last edits");
	}
	nested_free(&n);
}

/* ---- roots ---- */

#define NR_ROOTS	4

KVM_TEST_F(l2, sees_the_root_that_l1_sets)
{
	gpa_t roots[NR_ROOTS];
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	for (i = 0; i < NR_ROOTS; i++) {
		roots[i] = i ? nested_new_root(&n) : n.root;
		__nested_map(&n, roots[i], 0, PAGE_GPA(i), PAGE_SIZE, PG_LEVEL_4K,
			     i % 2 ? NESTED_R : NESTED_RW);
	}
	for (i = 0; i < 24; i++) {
		unsigned int at = (i * i + i / 3) % NR_ROOTS;

		l1_set_root(cpu, roots[at]);
		l2_read(cpu, 0, WORD(at));
		if (at % 2)
			l2_fault(cpu, L2_WRITE, 8, PFERR_WRITE_MASK | PFERR_PRESENT_MASK);
		else
			l2_write(cpu, 8, i);
		l2_fault(cpu, L2_READ, PAGE_SIZE, 0);
	}
	nested_run(cpu, "roots in turn");
	nested_free(&n);
}

/* L1 changes the tables of a root that it does not use at the time. */
KVM_TEST_F(l2, sees_roots_edited_while_unused)
{
	gpa_t roots[2], entry[2];
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i, at;

	cpu = nested_create_with_ram(&n, 1, variant->paging);
	for (i = 0; i < 2; i++) {
		roots[i] = i ? nested_new_root(&n) : n.root;
		__nested_map(&n, roots[i], 0, PAGE_GPA(i), PAGE_SIZE, PG_LEVEL_4K,
			     NESTED_RW);
		entry[i] = n.tables_gva + (n.nr_tables - 1) * PAGE_SIZE;
		l1_set_root(cpu, roots[i]);
		l2_read(cpu, 0, WORD(i));
	}
	for (i = 0; i < 12; i++) {
		at = i % 2;
		l1_write(cpu, entry[at], nested_ram_leaf(cpu, i % NPAGES, NESTED_RW));
		l1_set_root(cpu, roots[at]);
		l1_flush(cpu);
		l2_read(cpu, 0, WORD(i % NPAGES));
		l2_write(cpu, 8, i);
		nested_run(cpu, "entry of root %u", at);
	}
	nested_free(&n);
}

/*
 * The root, or another table, is in no memslot, or in one that goes; then it is L1
 * that hears of it, by whatever exit this KVM has for that, and with good tables L2
 * lives on. Until 6.6 an entry with a root in no memslot is a triple fault for which
 * KVM WARNs, as the entry is not over (0e3223d8d00a is the fix); before 5.13 that
 * triple fault was not L1's, but all of the VM's.
 */
KVM_TEST(nested_tables_without_memory)
{
	const bool may_enter = kernel_at_least(6, 6) || kvm_test_option("known_bugs", 0);
	const gpa_t gpa = NESTED_GPA + 16 * SZ_1M;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	__TEST_REQUIRE(kernel_at_least(5, 13) || kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: a root of L1's in no memslot ends the VM; --set known_bugs=1 makes it a failure");
	cpu = nested_create_with_ram(&n, 1, true);
	nested_map(&n, 0, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	for (i = 0; i < 6; i++) {
		vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, gpa, 2, 1, 0);
		memcpy(addr_gpa2hva(n.vm, gpa), addr_gpa2hva(n.vm, n.root), PAGE_SIZE);
		l1_set_root(cpu, gpa);
		l2_read(cpu, 0, WORD(0));
		if (may_enter && i % 2)
			nested_run(cpu, "a root in a slot of its own");
		else
			nested_run_in_l2(cpu, "a root in a slot of its own");
		vm_mem_region_delete(n.vm, 2);
		nested_order(cpu, L2_READ, NESTED_L2_GVA, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_ANY));
		nested_run(cpu, "a root in no slot");
		l1_set_root(cpu, n.root);
		l2_read(cpu, 0, WORD(0));
		l1_edit(cpu, SZ_2M, PG_LEVEL_2M, nested_link(&n, gpa));
		nested_order(cpu, L2_READ, NESTED_L2_GVA + SZ_2M, 0,
			     NESTED_WANT(L2_EXIT, L2_EXIT_ANY));
		l2_read(cpu, 0, WORD(0));
		nested_run(cpu, "a good root again, and a table in no slot");
	}
	nested_free(&n);
}

KVM_TEST_MAIN()
