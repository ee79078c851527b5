// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hypervisor of 32 bits, with tables of 4-byte entries or with PAE's, and its L2
 * without paging of its own: all that L2 sees is by nested page tables in the format
 * of L1's mode, which has fewer levels than the host's. What L1 writes there, what is
 * behind it and which mode L1 goes to must count as in long mode. Where the host has
 * no nested paging, the same tables are L2's own.
 *
 * What breaks this: the upper tables that have nothing to shadow, which KVM allocates
 * for such an L1 alone; roots that are no shadow pages, when roots are exchanged,
 * synced, freed or found obsolete; four roots by four entries that are no table of a
 * page; halves and quarters of tables of 4-byte entries.
 */
#include <sys/mman.h>

#include "guest_modes.h"
#include "host_usage.h"
#include "kvm_test_harness.h"
#include "svm.h"

KVM_TEST_SUITE(nested_modes_test,
	.fixes = FIXES("04d45551a1ee KVM: x86/mmu: Alloc page for PDPTEs when shadowing 32-bit NPT with 64-bit",
		"b6b80c78af83 KVM: x86/mmu: Allocate PAE root array when using SVM's 32-bit NPT"));

/* In the slot of L1's code, behind all that guest_modes.h has there. */
#define VMCB_GPA	(MODES_GPA + 0x100000UL)
#define HSAVE_GPA	(MODES_GPA + 0x101000UL)
#define BOX_GPA		(MODES_GPA + 0x110000UL)
#define TABLES_GPA	(MODES_GPA + 0x120000UL)
#define TABLES_SIZE	0x20000UL
#define BOX_PAGES	5

/* Where guest_modes.h has L1's, and L2 has its own: box and stack. */
#define CODE		MODES_GPA
#define BOX		(MODES_GPA + 0x1000)
#define STACK		(MODES_GPA + 0x7800)

#define NR_PAGES	MODES_WINDOW_PAGES
#define WRITTEN		8
#define RWU		(PTE_PRESENT_MASK | PTE_WRITABLE_MASK | PTE_USER_MASK)

static const enum cpu_mode l1_modes[] = { MODE_32BIT, MODE_PAE };

FIXTURE_VARIANT(l1) {
	enum cpu_mode mode;
};
KVM_FIXTURE(l1)

FIXTURE_VARIANT_ADD(l1, 32bit) { .mode = MODE_32BIT };
FIXTURE_VARIANT_ADD(l1, pae) { .mode = MODE_PAE };

/* L1's tables for L2, in one format; the window's are there twice. */
struct tables {
	bool wide;			/* entries of 8 bytes */
	gpa_t root, next, pd[4], pt[2][2];
	unsigned int set[2];		/* which of them each half of the window is */
	uint64_t leaf[2][NR_PAGES];
};

struct host {
	struct modes m;			/* L1 */
	struct modes_box *box;		/* L2's */
	struct vmcb *vmcb;
	struct tables of[NR_CPU_MODES];
	bool in_l2;
	uint32_t stored;
};

/* ---- tables ---- */

static void set_entry(struct host *h, const struct tables *t, gpa_t gpa, uint64_t value)
{
	if (t->wide)
		*modes_word64(&h->m, gpa) = value;
	else
		*modes_word32(&h->m, gpa) = value;
}

/* The same by L1. */
static void l1_set_entry(struct host *h, const struct tables *t, gpa_t gpa, uint64_t value)
{
	if (t->wide)
		modes_write_entry64(&h->m, gpa, value, test_random() % 2);
	else
		modes_write_entry32(&h->m, gpa, value);
}

static gpa_t new_table(struct tables *t)
{
	t->next += PAGE_SIZE;
	return t->next - PAGE_SIZE;
}

static gpa_t upper_entry(const struct tables *t, uint32_t addr)
{
	return t->wide ? t->pd[addr >> 30] + (addr >> 21 & 511) * 8 :
			 t->root + (addr >> 22) * 4;
}

static gpa_t leaf_entry(const struct tables *t, unsigned int set, uint32_t addr)
{
	return t->wide ? t->pt[set][addr >> 21 & 1] + (addr >> 12 & 511) * 8 :
			 t->pt[set][0] + (addr >> 12 & 1023) * 4;
}

static uint64_t leaf(unsigned int page, uint64_t rights)
{
	return (MODES_DATA_GPA + page * PAGE_SIZE) | rights;
}

/* Both halves, where they have a table each. */
static uint64_t link_to(const struct tables *t, unsigned int set, unsigned int half)
{
	return t->pt[set][t->wide ? half : 0] | RWU;
}

/* L2 has L1's code as L1 has it, except for the box, and the data. */
static void map_code(struct host *h, struct tables *t)
{
	const gpa_t pt = new_table(t);
	const unsigned int size = t->wide ? 8 : 4;
	unsigned int i;
	gpa_t gpa;

	for (i = 0; i < PAGE_SIZE / size; i++) {
		gpa = MODES_GPA + i * PAGE_SIZE;
		if (gpa >= BOX && gpa < BOX + BOX_PAGES * PAGE_SIZE)
			gpa += BOX_GPA - BOX;
		set_entry(h, t, pt + i * size, gpa | RWU);
	}
	set_entry(h, t, upper_entry(t, MODES_GPA), pt | RWU);
}

static void make_tables(struct host *h, enum cpu_mode mode)
{
	struct tables *t = &h->of[mode];
	unsigned int i, set;

	t->wide = mode == MODE_PAE;
	t->root = TABLES_GPA + (t->wide ? TABLES_SIZE : 0);
	t->next = t->root + PAGE_SIZE;
	/* Not at the start of the page. */
	t->root += t->wide ? 0x4a0 : 0;
	for (i = 0; i < 4 && t->wide; i++) {
		t->pd[i] = new_table(t);
		set_entry(h, t, t->root + i * 8, t->pd[i] | PTE_PRESENT_MASK);
	}
	for (i = 0; i < 4; i++)
		t->pt[i / 2][i % 2] = new_table(t);
	for (set = 0; set < 2; set++) {
		for (i = 0; i < NR_PAGES; i++) {
			t->leaf[set][i] = leaf(i + set * 100, RWU);
			set_entry(h, t, leaf_entry(t, set, modes_window(i)), t->leaf[set][i]);
		}
	}
	map_code(h, t);
	for (i = 0; i < 2; i++)
		set_entry(h, t, upper_entry(t, MODES_WINDOW + i * SZ_2M), link_to(t, 0, i));
	set_entry(h, t, upper_entry(t, MODES_LARGE),
		  (t->wide ? MODES_DATA_GPA : MODES_GPA) | RWU | PTE_LARGE_MASK);
	set_entry(h, t, upper_entry(t, MODES_GAP), MODES_GAP_GPA | RWU | PTE_LARGE_MASK);
}

/* ---- L1 and L2 ---- */

static struct vmcb_seg segment(uint16_t selector, uint16_t attrib)
{
	return (struct vmcb_seg){ .selector = selector, .attrib = attrib, .limit = ~0U };
}

static bool has_nested(void)
{
	const struct kvm_cpuid_entry2 *e = get_cpuid_entry(kvm_get_supported_cpuid(),
							   0x80000001, 0);

	return host_is_amd() && e && e->ecx & CPUID_SVM;
}

static void create(struct host *h)
{
	struct vmcb_control_area *ctrl;
	struct vmcb_save_area *save;
	struct kvm_sregs sregs;
	unsigned int i;

	__TEST_REQUIRE(has_nested(), "needs SVM in the guest: an AMD host with kvm_amd.nested=1");
	memset(h, 0, sizeof(*h));
	modes_create(&h->m);
	h->box = addr_gpa2hva(h->m.vm, BOX_GPA);
	h->vmcb = addr_gpa2hva(h->m.vm, VMCB_GPA);
	for (i = 0; i < ARRAY_SIZE(l1_modes); i++)
		make_tables(h, l1_modes[i]);
	TEST_ERROR_ON(!_vcpu_set_msr(h->m.vcpu, MSR_VM_HSAVE_PA, HSAVE_GPA),
		      "cannot set MSR_VM_HSAVE_PA");
	vcpu_sregs_get(h->m.vcpu, &sregs);

	ctrl = &h->vmcb->control;
	ctrl->intercept = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_SHUTDOWN;
	ctrl->asid = 1;
	ctrl->tlb_ctl = TLB_CONTROL_FLUSH_ALL_ASID;
	ctrl->nested_ctl = kvm_is_tdp_enabled() ? SVM_NESTED_CTL_NP_ENABLE : 0;
	save = &h->vmcb->save;
	save->cs = segment(sregs.cs.selector, 0xc9b);
	save->ds = save->es = save->ss = save->fs = save->gs =
		segment(sregs.ds.selector, 0xc93);
	save->gdtr.base = sregs.gdt.base;
	save->gdtr.limit = sregs.gdt.limit;
	save->idtr.base = sregs.idt.base;
	save->idtr.limit = sregs.idt.limit;
	save->dr6 = 0xffff0ff0;
	save->dr7 = 0x400;
	save->rflags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	save->g_pat = 0x0007040600070406ULL;
}

/* L1 goes to @mode, and takes the tables of that mode's format for L2. */
static void enter_mode(struct host *h, enum cpu_mode mode)
{
	struct vmcb_save_area *save = &h->vmcb->save;
	const bool wide = mode == MODE_PAE;

	modes_switch(&h->m, mode);
	modes_add(&h->m, MODES_EFER, 0, EFER_SVME | (wide ? EFER_NX : 0));
	modes_run(&h->m, "L1 turns SVM on");
	save->efer = EFER_SVME;
	save->cr0 = X86_CR0_PE | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP;
	if (kvm_is_tdp_enabled()) {
		h->vmcb->control.nested_cr3 = h->of[mode].root;
		/*
		 * Before 5.14, L2's bit counts for large entries of L1's nested page tables; the
		 * fix is "KVM: x86/mmu: Use MMU's role, not vCPU's state".
		 */
		save->cr4 = wide || kernel_at_least(5, 14) ||
			    kvm_test_option("known_bugs", 0) ? 0 : X86_CR4_PSE;
		return;
	}
	save->cr0 |= X86_CR0_PG;
	save->cr3 = h->of[mode].root;
	save->cr4 = wide ? X86_CR4_PAE : X86_CR4_PSE;
}

static struct tables *tables_now(struct host *h)
{
	return &h->of[h->m.mode];
}

static struct modes_step *l2_add(struct host *h, enum modes_op op, uint32_t addr,
				 uint32_t value)
{
	struct modes_step *s = &h->box->step[h->box->nr++];

	*s = (struct modes_step){ .op = op, .addr = addr, .value = value };
	return s;
}

static bool is_gap(const struct modes_step *s)
{
	return s->op == MODES_READ && s->addr - MODES_GAP < SZ_2M;
}

/* Where the data are in the large page; one of 4M begins with L1's code. */
static uint32_t large_data(const struct tables *t)
{
	return MODES_LARGE + (t->wide ? 0 : MODES_DATA_GPA - MODES_GPA);
}

/* Of the word behind @addr in the gap. */
static gpa_t gap_gpa(uint32_t addr)
{
	return MODES_GAP_GPA + addr - MODES_GAP;
}

/*
 * To L2's end, in which the vCPU stays; or to L1's, who has been left by L2 with an
 * exit. Gaps are answered.
 */
static void run(struct host *h, bool stay, const char *what)
{
	const bool clear = h->m.mode == MODE_PAE && kvm_is_tdp_enabled() && host_may_be_tcg();
	struct kvm_run *run = h->m.vcpu->run;

	if (!stay)
		l2_add(h, MODES_VMMCALL, 0, 0);
	if (!h->in_l2) {
		h->vmcb->save.rip = CODE;
		h->vmcb->save.rsp = STACK;
		h->vmcb->control.exit_code = 0;
		modes_add(&h->m, MODES_VMRUN, VMCB_GPA, clear ? h->m.root[MODE_PAE] : 0);
	}
	test_step("%s, L1 in %s", what, cpu_mode_name(h->m.mode));
	for (;;) {
		vcpu_run(h->m.vcpu);
		if (run->exit_reason == KVM_EXIT_IO && run->io.port == MODES_DONE_PORT)
			break;
		if (run->exit_reason != KVM_EXIT_MMIO || !is_gap(&h->box->step[h->box->current]))
			vcpu_unexpected_exit(h->m.vcpu, "no exit of L2's but to a gap");
		vcpu_check_mmio(h->m.vcpu, &(struct mmio_access){
			.gpa = gap_gpa(h->box->step[h->box->current].addr), .len = 4,
			.data = ~gap_gpa(h->box->step[h->box->current].addr) & 0xffffffff,
		});
	}
	h->in_l2 = stay;
	h->m.box->nr = 0;
}

static uint32_t word_at(struct host *h, gpa_t gpa)
{
	if (!vm_find_gpa(h->m.vm, gpa))
		return ~(uint32_t)gpa;
	return *modes_word32(&h->m, gpa);
}

static gpa_t gpa_of(struct host *h, uint32_t addr, bool *writable)
{
	const struct tables *t = tables_now(h);
	uint64_t e;

	*writable = true;
	if (addr - large_data(t) < SZ_2M)
		return MODES_DATA_GPA + addr - large_data(t);
	if (addr - MODES_GAP < SZ_2M)
		return gap_gpa(addr);
	e = t->leaf[t->set[addr >> 21 & 1]][(addr >> 21 & 1) * 8 + (addr >> 12 & 7)];
	*writable = e & PTE_WRITABLE_MASK;
	return e & PTE_PRESENT_MASK ? (e & PHYSICAL_PAGE_MASK) + (addr & 0xfff) : ~0UL;
}

static void l2_access(struct host *h, enum modes_op op, uint32_t addr)
{
	l2_add(h, op, addr, op == MODES_WRITE ? h->stored += 0x11 : 0);
}

/* The last step but for the VMMCALL faults, to L1 or in L2. */
static void check_fault(struct host *h, const struct modes_step *s, uint32_t ec,
			const char *what)
{
	const struct vmcb_control_area *ctrl = &h->vmcb->control;
	/* To nested tables, all is a user's. */
	const uint64_t info = ec | PFERR_USER_MASK | NPF_GUEST_FINAL;

	if (!kvm_is_tdp_enabled()) {
		TEST_ASSERT(s->vector == PF_VECTOR && s->error_code == ec && s->cr2 == s->addr,
			    "%s, L1 in %s: L2 accesses 0x%x: want #PF with error code 0x%x, got vector %u, 0x%x, CR2 0x%x, and read 0x%x",
			    what, cpu_mode_name(h->m.mode), s->addr, ec, s->vector,
			    s->error_code, s->cr2, s->got);
		return;
	}
	TEST_ASSERT(ctrl->exit_code == SVM_EXIT_NPF && ctrl->exit_info_2 == s->addr &&
		    ctrl->exit_info_1 == info,
		    "%s, L1 in %s: L2 accesses 0x%x: want a nested page fault with error code 0x%lx, got exit 0x%lx, 0x%lx, address 0x%lx, and read 0x%x",
		    what, cpu_mode_name(h->m.mode), s->addr, info,
		    ctrl->exit_code, ctrl->exit_info_1, ctrl->exit_info_2, s->got);
}

static void check_step(struct host *h, const struct modes_step *s, const char *what)
{
	bool writable;
	gpa_t gpa = gpa_of(h, s->addr, &writable);
	uint32_t want = word_at(h, gpa + (s->op == MODES_EXEC));
	uint32_t got = s->op == MODES_WRITE ? s->value : s->got;

	TEST_ASSERT(!s->vector && got == want,
		    "%s, L1 in %s: L2 %s 0x%x, which is gpa 0x%lx: want 0x%x, got 0x%x, vector %u, error code 0x%x",
		    what, cpu_mode_name(h->m.mode), s->op == MODES_WRITE ? "writes" :
		    s->op == MODES_EXEC ? "calls" : "reads", s->addr, gpa, want, got,
		    s->vector, s->error_code);
}

/* All that works, at once; L2 is left behind it, or is not. */
static void __check(struct host *h, bool stay, bool data, const char *what)
{
	const uint32_t large = large_data(tables_now(h));
	uint32_t i, addr;
	bool writable;

	h->box->nr = 0;
	for (i = 0; i < NR_PAGES && data; i++) {
		addr = modes_window(i);
		if (gpa_of(h, addr, &writable) == ~0UL)
			continue;
		l2_access(h, MODES_READ, addr);
		if (writable)
			l2_access(h, MODES_WRITE, addr + WRITTEN + 4 * i);
		l2_access(h, MODES_EXEC, addr + MODES_CALLEE_OFFSET);
	}
	l2_access(h, MODES_READ, MODES_GAP + 0x10);
	l2_access(h, MODES_READ, MODES_GAP + 3 * PAGE_SIZE);
	for (i = 0; i < 3 && data; i++) {
		l2_access(h, MODES_READ, large + i * 37 * PAGE_SIZE);
		l2_access(h, MODES_EXEC, large + i * 91 * PAGE_SIZE + MODES_CALLEE_OFFSET);
	}
	run(h, stay, what);
	if (!stay && h->vmcb->control.exit_code != SVM_EXIT_VMMCALL)
		TEST_FAIL("%s, L1 in %s: L2's step %u of %u at 0x%x: want none, got exit 0x%lx, 0x%lx, address 0x%lx",
			  what, cpu_mode_name(h->m.mode), h->box->current + 1, h->box->nr,
			  h->box->step[h->box->current].addr, h->vmcb->control.exit_code,
			  h->vmcb->control.exit_info_1, h->vmcb->control.exit_info_2);
	for (i = 0; i < h->box->nr - !stay; i++)
		check_step(h, &h->box->step[i], what);
}

/* And what does not, by itself. */
static void check(struct host *h, const char *what)
{
	bool writable;
	uint32_t i;
	gpa_t gpa;

	__check(h, false, true, what);
	for (i = 0; i < NR_PAGES; i++) {
		gpa = gpa_of(h, modes_window(i), &writable);
		if (gpa != ~0UL && writable)
			continue;
		h->box->nr = 0;
		l2_access(h, MODES_WRITE, modes_window(i));
		run(h, false, what);
		check_fault(h, &h->box->step[0], PFERR_WRITE_MASK |
			    (gpa != ~0UL ? PFERR_PRESENT_MASK : 0), what);
	}
}

/* ---- cases ---- */

KVM_TEST_F(l1, edits_entries_of_l2)
{
	static const uint64_t rights[] = { 0, RWU, RWU, PTE_PRESENT_MASK | PTE_USER_MASK };
	unsigned int round, i, page, set;
	struct tables *t;
	struct host h;

	create(&h);
	enter_mode(&h, variant->mode);
	t = tables_now(&h);
	check(&h, "the first entries");
	for (round = 0; round < test_tries(12); round++) {
		/* A table that is not in use, too. */
		for (i = 0; i < 6; i++) {
			page = test_random() % NR_PAGES;
			set = test_random() % 2;
			t->leaf[set][page] = leaf(test_random() % 12,
						  rights[test_random() % ARRAY_SIZE(rights)]);
			l1_set_entry(&h, t, leaf_entry(t, set, modes_window(page)),
				     t->leaf[set][page]);
		}
		if (round % 3 == 2) {
			set = test_random() % 2;
			for (i = 0; i < 2; i++) {
				t->set[i] = t->wide ? test_random() % 2 : set;
				l1_set_entry(&h, t, upper_entry(t, MODES_WINDOW + i * SZ_2M),
					     link_to(t, t->set[i], i));
			}
		}
		check(&h, "L1 has edited entries");
	}
	modes_free(&h.m);
}

static void *exchange_data(struct host *h, uint32_t first)
{
	const size_t size = MODES_DATA_PAGES * PAGE_SIZE;
	void *old = backing_exchange(h->m.data.hva, size);
	unsigned int i;

	madvise(h->m.data.hva, size, MADV_HUGEPAGE);
	for (i = 0; i < MODES_DATA_PAGES; i++)
		modes_fill_page(&h->m, MODES_DATA_GPA + i * PAGE_SIZE, first + i);
	return old;
}

/* The vCPU is in L2 when its memory goes and comes, or is in L1. */
KVM_TEST_F(l1, has_an_l2_whose_memory_goes)
{
	unsigned int round;
	struct host h;
	void *old;

	create(&h);
	enter_mode(&h, variant->mode);
	for (round = 0; round < 8; round++) {
		const bool in_l2 = round % 2;

		__check(&h, in_l2, true, "before the slot goes");
		breadcrumb("delete the slot of L2's data, round %u", round);
		modes_set_data_slot(&h.m, false);
		__check(&h, in_l2, false, "the slot is gone");
		h.box->nr = 0;
		breadcrumb("add the slot of L2's data, round %u", round);
		modes_set_data_slot(&h.m, true);
		__check(&h, in_l2, true, "the slot is back");
		old = exchange_data(&h, round * 1000);
		__check(&h, false, true, "the host has other pages");
		munmap(old, MODES_DATA_PAGES * PAGE_SIZE);
	}
	modes_free(&h.m);
}

/* What L2 writes is logged, by large entries of L1's as well, and only while it is asked for. */
KVM_TEST_F(l1, has_an_l2_that_is_logged)
{
	unsigned long bitmap[MODES_DATA_PAGES / 64];
	const struct tables *t;
	unsigned int round, i;
	struct host h;
	uint64_t page;

	create(&h);
	enter_mode(&h, variant->mode);
	t = tables_now(&h);
	for (round = 0; round < 4; round++) {
		__check(&h, round % 2, true, "without a log");
		breadcrumb("log what L2 writes, round %u", round);
		vm_mem_region_set_flags(h.m.vm, MODES_DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		memset(bitmap, 0, sizeof(bitmap));
		kvm_vm_get_dirty_log(h.m.vm, MODES_DATA_SLOT, bitmap);
		__check(&h, round % 2, true, "with a log");
		h.box->nr = 0;
		l2_access(&h, MODES_WRITE, large_data(t) + (200 + round) * PAGE_SIZE);
		run(&h, round % 2, "a write to a large page");
		kvm_vm_get_dirty_log(h.m.vm, MODES_DATA_SLOT, bitmap);
		for (i = 0; i <= NR_PAGES; i++) {
			page = i == NR_PAGES ? 200 + round :
			       ((t->leaf[0][i] & PHYSICAL_PAGE_MASK) - MODES_DATA_GPA) / PAGE_SIZE;
			TEST_ASSERT(bitmap[page / 64] >> page % 64 & 1,
				    "L2 wrote to page %lu of slot %u, which is not in its dirty log",
				    page, MODES_DATA_SLOT);
		}
		vm_mem_region_set_flags(h.m.vm, MODES_DATA_SLOT, 0);
		__check(&h, false, true, "without a log again");
	}
	modes_free(&h.m);
}

/* The tables of the mode that L1 leaves are edited from the other one. */
KVM_TEST(l1_goes_between_modes)
{
	unsigned int round, i, page;
	struct tables *t;
	struct host h;

	create(&h);
	for (round = 0; round < 9; round++) {
		enter_mode(&h, l1_modes[(round + round / 3) % 2]);
		for (i = 0; i < 2 * ARRAY_SIZE(l1_modes); i++) {
			t = &h.of[l1_modes[i % 2]];
			page = test_random() % NR_PAGES;
			t->leaf[0][page] = leaf(test_random() % 12, RWU);
			l1_set_entry(&h, t, leaf_entry(t, 0, modes_window(page)),
				     t->leaf[0][page]);
		}
		check(&h, "L1 has changed its mode");
		check(&h, "L1 enters L2 once more");
	}
	modes_free(&h.m);
}

/* What PDPTEs of an L2 say counts from the next VMRUN on. */
KVM_TEST(pdptes_of_an_l2_are_edited)
{
	/* The window, seen where the gap is. */
	const uint32_t second = MODES_WINDOW - SZ_1G;
	struct modes_step *s;
	struct tables *t;
	unsigned int i;
	struct host h;
	gpa_t pdpte;

	create(&h);
	enter_mode(&h, MODE_PAE);
	t = tables_now(&h);
	pdpte = t->root + (second >> 30) * 8;
	s = &h.box->step[0];
	for (i = 0; i < 12; i++) {
		check(&h, "each PDPTE has a table");
		l1_set_entry(&h, t, pdpte, i % 3 ? t->pd[3] | PTE_PRESENT_MASK : 0);
		h.box->nr = 0;
		l2_add(&h, MODES_READ, second + i % 2 * SZ_2M, 0);
		run(&h, false, i % 3 ? "a PDPTE leads to another table" : "a PDPTE leads nowhere");
		if (i % 3)
			TEST_ASSERT(s->got == 0xda7a0000 + i % 2 * 8 &&
				    h.vmcb->control.exit_code == SVM_EXIT_VMMCALL,
				    "L2 reads 0x%x from 0x%x by the table that its PDPTE has now, want 0x%x; exit 0x%lx",
				    s->got, s->addr, 0xda7a0000 + i % 2 * 8,
				    h.vmcb->control.exit_code);
		else
			check_fault(&h, s, 0, "a PDPTE leads nowhere");
		l1_set_entry(&h, t, pdpte, t->pd[second >> 30] | PTE_PRESENT_MASK);
	}
	modes_free(&h.m);
}

#define NR_VMS	24

static void enter_l2_in_vms(unsigned int n, void *arg)
{
	unsigned int i;
	struct host h;

	(void)arg;
	for (i = 0; i < n; i++) {
		create(&h);
		enter_mode(&h, l1_modes[i % 2]);
		__check(&h, i % 3, false, "a VM of many");
		modes_free(&h.m);
	}
}

KVM_TEST(host_gets_back_what_it_gave, .privileged = true)
{
	const unsigned int n = test_tries(NR_VMS);

	enter_l2_in_vms(4, NULL);
	breadcrumb("%u VMs, each with an L2 of a 32-bit L1", n);
	host_usage_expect_constant(n, "VMs with an L2 of a 32-bit L1", enter_l2_in_vms, NULL);
}

KVM_TEST_MAIN()
