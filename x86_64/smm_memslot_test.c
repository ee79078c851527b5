// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two address spaces: what a gpa is in system management mode and what it is
 * outside are two things, each with memslots of its own. A vCPU sees those of
 * the mode it is in, from its first access on; an update of one address space
 * changes what is seen there, and nothing in the other.
 *
 * What breaks this: a lookup, an SPTE, a cached MMIO access or a dirty bit that
 * forgets which address space it is of; a zap that misses the roots of a mode in
 * which no vCPU is; a wrap of the generation that is looked for in one address
 * space only.
 *
 * SMM is entered by KVM_SET_VCPU_EVENTS, so that the same 64-bit guest code runs
 * in both, and by SMIs.
 *
 * Options: --set generations=N lets MMIO SPTEs get N generations old instead of
 * 2048. The field has 18 to 20 bits, so N = 0x100000 takes it through its wrap
 * on every kernel (and wants KVM_TEST_TIMEOUT_MUL=100).
 */
#include "arena.h"
#include "dying.h"
#include "kvm_test_harness.h"
#include "smm.h"

KVM_TEST_SUITE(smm_memslot_test,
	.needs = { .caps = NEED_CAPS_SMM, .mem_mb = 64 },
	.fixes = FIXES("e1359e2beb8b KVM: x86/mmu: Detect MMIO generation wrap in any address space"));

#define DEFAULT_GENERATIONS	2048

#define GPA		ARENA_GPA
#define SLOT		1
#define DRIVE_SLOT	2	/* its updates drive the generation */
#define SMRAM_SLOT	3
#define DRIVE_GPA	0xe0000000UL

#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

enum { OUTSIDE, IN_SMM, NR_SPACES };

static const char *const space_names[] = { "outside SMM", "in SMM" };

static uint32_t slot_of(unsigned int space, uint32_t slot)
{
	return space == IN_SMM ? SMM_SLOT(slot) : slot;
}

/* ---- two vCPUs that go in and out ---- */

#define NR_VCPUS	2

struct world {
	struct arena a;
	unsigned int space[NR_VCPUS];	/* where each vCPU is */
};

static void world_create(struct world *w, size_t npages)
{
	memset(w, 0, sizeof(*w));
	arena_create(&w->a, NR_VCPUS, npages);
	vm_smm_init(w->a.vm);
}

static void enter(struct world *w, unsigned int vcpu, unsigned int space)
{
	struct probe *p = &w->a.probes[vcpu];

	if (w->space[vcpu] == space)
		return;
	vcpu_thread_stop(p->vcpu);
	vcpu_set_smm(p->vcpu, space == IN_SMM);
	probes_start(1, p);
	w->space[vcpu] = space;
}

static void world_free(struct world *w)
{
	unsigned int i;

	for (i = 0; i < NR_VCPUS; i++)
		enter(w, i, OUTSIDE);
	arena_check_neighbours(&w->a, "all vCPUs have left SMM");
	arena_free(&w->a);
}

/* What the vCPU sees of memory that has a slot where it is; it writes as well. */
static void expect_mem(struct world *w, unsigned int vcpu, gpa_t gpa,
		       struct patterned_mem *m, size_t first, size_t npages)
{
	struct probe *p = &w->a.probes[vcpu];

	test_step("vCPU %u, %s: want memory of round %u at gpa 0x%lx", vcpu,
		  space_names[w->space[vcpu]], m->pattern.round, gpa);
	probe_check_pages(p, gpa, m, first, npages);
	probe_write_mem(p, gpa, m, first, npages);
	patterned_mem_check(m, "after vCPU %u wrote at gpa 0x%lx %s", vcpu, gpa,
			    space_names[w->space[vcpu]]);
}

/* The page read last, the one that the vCPU remembers, is the first. */
static void expect_gap(struct world *w, unsigned int vcpu, gpa_t gpa, size_t npages)
{
	struct probe *p = &w->a.probes[vcpu];

	if (!npages)
		return;
	test_step("vCPU %u, %s: want a gap at gpa 0x%lx", vcpu,
		  space_names[w->space[vcpu]], gpa);
	probe_expect_gaps(p, gpa, npages);
	probe_read(p, gpa, 8);
}

/* ---- the same gpas in both ---- */

#define NPAGES	8

KVM_FIXTURE(one_gpa);
FIXTURE_VARIANT(one_gpa) {
	bool has_mem[NR_SPACES];
};

FIXTURE_VARIANT_ADD(one_gpa, ram_in_smm_only) { .has_mem = { false, true } };
FIXTURE_VARIANT_ADD(one_gpa, ram_outside_only) { .has_mem = { true, false } };
FIXTURE_VARIANT_ADD(one_gpa, two_rams) { .has_mem = { true, true } };

KVM_TEST_F(one_gpa, is_what_it_is_in_each_mode)
{
	/* Bit N: vCPU N is in SMM. */
	static const unsigned int rounds[] = { 0, 1, 3, 2, 1, 2, 0, 3 };
	struct patterned_mem mem[NR_SPACES];
	unsigned int s, i;
	struct world w;
	size_t round;

	world_create(&w, NPAGES);
	for (s = 0; s < NR_SPACES; s++) {
		patterned_mem_alloc(&mem[s], VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE,
				    GPA, PATTERN(s + 1));
		if (variant->has_mem[s])
			arena_add(&w.a, &mem[s], GPA, slot_of(s, SLOT), 0);
	}
	for (round = 0; round < ARRAY_SIZE(rounds); round++) {
		breadcrumb("round %zu: SMM is 0x%x", round, rounds[round]);
		for (i = 0; i < NR_VCPUS; i++)
			enter(&w, i, rounds[round] & BIT(i) ? IN_SMM : OUTSIDE);
		/* Twice, for each vCPU with and without the other's SPTEs. */
		for (i = 0; i < 2 * NR_VCPUS; i++) {
			unsigned int vcpu = i % NR_VCPUS;

			s = w.space[vcpu];
			if (variant->has_mem[s])
				expect_mem(&w, vcpu, GPA, &mem[s], 0, NPAGES);
			else
				expect_gap(&w, vcpu, GPA, NPAGES);
		}
		for (s = 0; s < NR_SPACES; s++)
			patterned_mem_check(&mem[s], "memory of what is %s, round %zu",
					    space_names[s], round);
	}
	world_free(&w);
}

/* ---- updates of either address space ---- */

/* The slot that changes has the first or the second half of the window... */
#define WINDOW		(2 * NPAGES)
/* ... that of the other address space is in the middle of it, for good. */
#define OTHER_FIRST	(NPAGES / 2)

struct updated {
	unsigned int space;		/* that is updated */
	struct patterned_mem mem[2], other;
	struct patterned_mem *now, *old; /* what the slot has, NULL: no slot; had */
	size_t first;			/* page of the window where it is */
};

static void expect_window(struct world *w, struct updated *u, unsigned int vcpu)
{
	struct patterned_mem *m = u->now;
	size_t first = u->first, npages = m ? NPAGES : 0;

	if (w->space[vcpu] != u->space) {
		m = &u->other;
		first = OTHER_FIRST;
		npages = NPAGES;
	}
	expect_gap(w, vcpu, GPA, first);
	if (npages)
		expect_mem(w, vcpu, GPA + first * PAGE_SIZE, m, 0, npages);
	expect_gap(w, vcpu, GPA + (first + npages) * PAGE_SIZE,
		   WINDOW - first - npages);
}

enum update { CREATE, REPLACE, MOVE_UP, MOVE_DOWN, DELETE };

static const char *const update_names[] = {
	"create", "replace", "move up", "move down", "delete",
};

static void do_update(struct world *w, struct updated *u, enum update update)
{
	uint32_t slot = slot_of(u->space, SLOT);

	switch (update) {
	case DELETE:
	case REPLACE:
		vm_mem_region_delete(w->a.vm, slot);
		if (update == DELETE) {
			u->now = NULL;
			break;
		}
		/* fall through */
	case CREATE:
		u->now = u->old == &u->mem[0] ? &u->mem[1] : &u->mem[0];
		u->old = u->now;
		arena_add(&w->a, u->now, GPA + u->first * PAGE_SIZE, slot, 0);
		break;
	case MOVE_UP:
	case MOVE_DOWN:
		u->first = update == MOVE_UP ? NPAGES : 0;
		vm_mem_region_move(w->a.vm, slot, GPA + u->first * PAGE_SIZE);
		break;
	}
}

KVM_FIXTURE(update);
FIXTURE_VARIANT(update) {
	unsigned int space;		/* that is updated */
	unsigned int home[NR_VCPUS];	/* of the vCPUs */
};

#define UPDATE(name, ...)						\
	FIXTURE_VARIANT_ADD(update, outside_##name) {			\
		.space = OUTSIDE, .home = __VA_ARGS__ };		\
	FIXTURE_VARIANT_ADD(update, smm_##name) {			\
		.space = IN_SMM, .home = __VA_ARGS__ }

UPDATE(all_outside, { OUTSIDE, OUTSIDE });
UPDATE(all_in_smm, { IN_SMM, IN_SMM });
UPDATE(one_in_each, { IN_SMM, OUTSIDE });

KVM_TEST_F(update, changes_its_address_space_only)
{
	static const enum update updates[] = {
		CREATE, REPLACE, MOVE_UP, DELETE, CREATE, MOVE_DOWN, DELETE,
	};
	struct updated u = { .space = variant->space };
	unsigned int i, home = variant->home[0];
	struct world w;
	size_t n;

	if (variant->space == IN_SMM && home == IN_SMM)
		smm_skip_known_bug();
	world_create(&w, WINDOW);
	patterned_mem_alloc(&u.other, VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE, GPA, PATTERN(9));
	for (i = 0; i < 2; i++)
		patterned_mem_alloc(&u.mem[i], VM_MEM_SRC_ANONYMOUS,
				    NPAGES * PAGE_SIZE, GPA, PATTERN(i + 1));
	arena_add(&w.a, &u.other, GPA + OTHER_FIRST * PAGE_SIZE,
		  slot_of(!u.space, SLOT), 0);
	for (i = 0; i < NR_VCPUS; i++) {
		enter(&w, i, variant->home[i]);
		expect_window(&w, &u, i);
	}
	for (n = 0; n < ARRAY_SIZE(updates); n++) {
		breadcrumb("update %zu: %s slot %s", n, update_names[updates[n]],
			   space_names[u.space]);
		do_update(&w, &u, updates[n]);
		for (i = 0; i < NR_VCPUS; i++)
			expect_window(&w, &u, i);
		/* One goes where the other is, or where nobody is, and looks. */
		enter(&w, 0, !home);
		expect_window(&w, &u, 0);
		enter(&w, 0, home);
		for (i = 0; i < 2; i++)
			patterned_mem_check(&u.mem[i], "update %zu, %s", n,
					    update_names[updates[n]]);
		patterned_mem_check(&u.other, "update %zu, of the other address space", n);
	}
	world_free(&w);
}

/* ---- generations: each address space has its own ---- */

static uint64_t generation_of(struct world *w, unsigned int space)
{
	return space == IN_SMM ? w->a.vm->smm_memslot_generation :
				 w->a.vm->memslot_generation;
}

static void toggle_flags(struct world *w, unsigned int space)
{
	uint32_t slot = slot_of(space, DRIVE_SLOT);
	uint32_t flags = vm_get_mem_region(w->a.vm, slot)->flags;

	vm_mem_region_set_flags(w->a.vm, slot, flags ^ KVM_MEM_LOG_DIRTY_PAGES);
}

KVM_FIXTURE(generation);
FIXTURE_VARIANT(generation) {
	unsigned int view;	/* where the gaps are */
	unsigned int drive;	/* where updates happen */
};

FIXTURE_VARIANT_ADD(generation, of_smm) { .view = IN_SMM, .drive = IN_SMM };
/* Updates of the other address space. */
FIXTURE_VARIANT_ADD(generation, while_in_smm) { .view = IN_SMM, .drive = OUTSIDE };
FIXTURE_VARIANT_ADD(generation, while_outside) { .view = OUTSIDE, .drive = IN_SMM };

/*
 * Page N's MMIO SPTE is 2^N generations old when the guest reads the page, which
 * has been RAM since just after it was made. No vCPU switches in between: SPTEs
 * may die with the last vCPU that is in SMM.
 */
KVM_TEST_F(generation, ram_beats_an_old_mmio_spte)
{
	const uint64_t end = kvm_test_option("generations", DEFAULT_GENERATIONS);
	const size_t npages = 32;
	uint64_t i, age, born, born_drive;
	struct patterned_mem mem;
	struct world w;

	if (variant->view == IN_SMM)
		smm_skip_known_bug();
	world_create(&w, npages);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, npages * PAGE_SIZE, GPA,
			    PATTERN(1));
	vm_userspace_mem_region_add(w.a.vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA,
				    slot_of(variant->drive, DRIVE_SLOT), 1, 0);
	enter(&w, 0, variant->view);
	expect_gap(&w, 0, GPA, npages);
	born = generation_of(&w, variant->view);
	born_drive = generation_of(&w, variant->drive);
	arena_add(&w.a, &mem, GPA, slot_of(variant->view, SLOT), 0);
	/* Page 0 is the one that the vCPU remembers. */
	probe_check_pages(&w.a.probes[0], GPA, &mem, 0, 1);

	for (i = 1; (age = 1UL << i) <= end; i++) {
		while (generation_of(&w, variant->drive) - born_drive < age)
			toggle_flags(&w, variant->drive);
		breadcrumb("generation %lu %s, read %s: MMIO SPTE of generation %lu under RAM",
			   generation_of(&w, variant->drive),
			   space_names[variant->drive], space_names[variant->view],
			   born);
		probe_check_pages(&w.a.probes[0], GPA + i * PAGE_SIZE, &mem, i, 1);
	}
	world_free(&w);
}

/* Whatever the generation is, gaps are gaps, and RAM is RAM. */
KVM_TEST_F(generation, gaps_stay_gaps)
{
	const uint64_t end = kvm_test_option("generations", DEFAULT_GENERATIONS);
	struct patterned_mem mem;
	uint64_t milestone;
	struct world w;

	world_create(&w, 8);
	patterned_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, 4 * PAGE_SIZE, GPA, PATTERN(1));
	vm_userspace_mem_region_add(w.a.vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA,
				    slot_of(variant->drive, DRIVE_SLOT), 1, 0);
	arena_add(&w.a, &mem, GPA, slot_of(variant->view, SLOT), 0);
	enter(&w, 0, variant->view);
	for (milestone = 8; milestone <= end; milestone *= 2) {
		while (generation_of(&w, variant->drive) < milestone - 4)
			toggle_flags(&w, variant->drive);
		while (generation_of(&w, variant->drive) <= milestone + 4) {
			breadcrumb("generation %lu %s, touch %s",
				   generation_of(&w, variant->drive),
				   space_names[variant->drive],
				   space_names[variant->view]);
			expect_mem(&w, 0, GPA, &mem, 0, 4);
			expect_gap(&w, 0, GPA + 4 * PAGE_SIZE, 4);
			toggle_flags(&w, variant->drive);
		}
	}
	world_free(&w);
}

/* ---- dirty logs ---- */

static void write_pages_of(struct world *w, struct patterned_mem *m, unsigned int vcpu,
			   uint64_t pages)
{
	size_t i;

	for (i = 0; i < NPAGES; i++) {
		if (pages & BIT(i))
			probe_write_mem(&w->a.probes[vcpu], GPA + i * PAGE_SIZE, m, i, 1);
	}
}

static void expect_dirty(struct world *w, unsigned int space, uint64_t want,
			 const char *when)
{
	uint64_t got = 0;

	kvm_vm_get_dirty_log(w->a.vm, slot_of(space, SLOT), &got);
	TEST_ASSERT(got == want,
		    "%s: dirty log of the slot %s has pages 0x%lx, want 0x%lx", when,
		    space_names[space], got, want);
}

KVM_TEST(dirty_log_is_of_its_address_space)
{
	static const struct { uint64_t in_smm, outside; } writes[] = {
		{ 0x3c, 0x0f }, { 0x81, 0x42 }, { 0, 0xff }, { 0xff, 0 }, { 0, 0 },
		{ 0xaa, 0x55 }, { 0xff, 0xff },
	};
	struct patterned_mem mem[NR_SPACES];
	unsigned int s;
	struct world w;
	size_t i;

	world_create(&w, NPAGES);
	for (s = 0; s < NR_SPACES; s++) {
		patterned_mem_alloc(&mem[s], VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE,
				    GPA, PATTERN(s + 1));
		arena_add(&w.a, &mem[s], GPA, slot_of(s, SLOT), 0);
	}
	enter(&w, 0, IN_SMM);
	/* Mapped writable, and only then logged. */
	write_pages_of(&w, &mem[IN_SMM], 0, 0xff);
	write_pages_of(&w, &mem[OUTSIDE], 1, 0xff);
	for (s = 0; s < NR_SPACES; s++)
		vm_mem_region_set_flags(w.a.vm, slot_of(s, SLOT),
					KVM_MEM_LOG_DIRTY_PAGES);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		breadcrumb("round %zu: 0x%lx in SMM, 0x%lx outside", i,
			   writes[i].in_smm, writes[i].outside);
		write_pages_of(&w, &mem[IN_SMM], 0, writes[i].in_smm);
		write_pages_of(&w, &mem[OUTSIDE], 1, writes[i].outside);
		expect_dirty(&w, OUTSIDE, writes[i].outside, "both logged");
		expect_dirty(&w, IN_SMM, writes[i].in_smm, "both logged");
	}
	/* Logging that ends in one goes on in the other. */
	for (s = 0; s < NR_SPACES; s++) {
		breadcrumb("no log %s", space_names[s]);
		vm_mem_region_set_flags(w.a.vm, slot_of(s, SLOT), 0);
		write_pages_of(&w, &mem[IN_SMM], 0, 0x33);
		write_pages_of(&w, &mem[OUTSIDE], 1, 0x0f);
		expect_dirty(&w, !s, s == IN_SMM ? 0x0f : 0x33, "one logged");
		vm_mem_region_set_flags(w.a.vm, slot_of(s, SLOT),
					KVM_MEM_LOG_DIRTY_PAGES);
	}
	for (s = 0; s < NR_SPACES; s++)
		patterned_mem_check(&mem[s], "written and logged %s", space_names[s]);
	world_free(&w);
}

/* ---- SMIs ---- */

#define KEY	0x5a5a0ff0U

/* An SMI may come at each exit; what is in registers must come through it. */
static void guest_touch(void)
{
	uint64_t i, value;

	for (i = 0; ; i++) {
		value = guest_read32(GPA);
		guest_write32(GPA, value ^ KEY);
		GUEST_SYNC_ARGS(i, value, 0, 0, 0);
	}
}

/* One round of the guest, outside; GPA is RAM at @page, or a gap. */
static void touch_outside(struct kvm_vcpu *vcpu, uint32_t *page, uint64_t round)
{
	uint32_t value = test_random();
	struct ucall uc;

	if (page) {
		*page = value;
	} else {
		vcpu_expect_mmio_read(vcpu, GPA, 4, value);
		vcpu_expect_smm(vcpu, false);
		vcpu_expect_mmio_write(vcpu, GPA, 4, value ^ KEY);
	}
	vcpu_run_to_sync(vcpu, &uc);
	vcpu_expect_smm(vcpu, false);
	TEST_ASSERT_EQ(uc.args[0], round);
	TEST_ASSERT_EQ((uint32_t)uc.args[1], value);
	if (page)
		TEST_ASSERT_EQ(*page, value ^ KEY);
}

/* One read and one write of the SMI handler; GPA is RAM at @page, or a gap. */
static void touch_in_smm(struct kvm_vcpu *vcpu, uint32_t *page)
{
	uint32_t value = test_random(), got;

	vcpu_smm_order(vcpu, SMM_READ, GPA, 0);
	if (page) {
		*page = value;
	} else {
		vcpu_expect_mmio_read(vcpu, GPA, 4, value);
		vcpu_expect_smm(vcpu, true);
	}
	got = vcpu_smm_finish(vcpu);
	TEST_ASSERT(got == value, "the SMI handler read 0x%x at gpa 0x%lx, want 0x%x",
		    got, GPA, value);
	vcpu_smm_order(vcpu, SMM_WRITE, GPA, ~value);
	if (!page)
		vcpu_expect_mmio_write(vcpu, GPA, 4, (uint32_t)~value);
	vcpu_smm_finish(vcpu);
	if (page)
		TEST_ASSERT(*page == (uint32_t)~value,
			    "the SMI handler wrote 0x%x at gpa 0x%lx, the memory has 0x%x",
			    ~value, GPA, *page);
}

/* As the mode changes, so does the gpa; slots come and go while it is in SMM. */
KVM_FIXTURE(smi);
FIXTURE_VARIANT(smi) {
	bool ram_outside;
};

FIXTURE_VARIANT_ADD(smi, gap_outside) { .ram_outside = false };
FIXTURE_VARIANT_ADD(smi, ram_outside) { .ram_outside = true };

KVM_TEST_F(smi, handler_sees_slots_of_smm)
{
	uint32_t *outside = NULL, *in_smm;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_touch);
	uint64_t i;

	smm_skip_known_bug();
	vm_smm_init(vm);
	vm_smi_handler_init(vm, SMRAM_SLOT);
	virt_pg_map(vm, GPA, GPA);
	if (variant->ram_outside) {
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, 0);
		outside = addr_gpa2hva(vm, GPA);
	}
	for (i = 0; i < test_tries(12); i++) {
		breadcrumb("SMI %lu", i);
		touch_outside(vcpu, outside, 2 * i);
		vcpu_smi(vcpu);
		touch_in_smm(vcpu, NULL);

		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA,
					    SMM_SLOT(SLOT), 1, 0);
		in_smm = vm_get_mem_region(vm, SMM_SLOT(SLOT))->mem.hva;
		touch_in_smm(vcpu, in_smm);
		vcpu_smm_order(vcpu, SMM_RSM, 0, 0);
		touch_outside(vcpu, outside, 2 * i + 1);

		/* The slot is still there at the next SMI, then no more. */
		vcpu_smi(vcpu);
		touch_in_smm(vcpu, in_smm);
		vm_mem_region_delete(vm, SMM_SLOT(SLOT));
		touch_in_smm(vcpu, NULL);
		vcpu_smm_order(vcpu, SMM_RSM, 0, 0);
	}
	kvm_vm_free(vm);
}

/* ---- page tables ---- */

#define TEST_GVA	0x500000000000UL
#define ENTRY_GVA	0x600000000000UL
#define VALUE(n)	(0x1111111111111111UL * ((n) + 1))

/* Between the two the host puts it into SMM, and then out of it again. */
static void guest_edits_in_smm(uint64_t entry_gva, uint64_t entry0, uint64_t entry1)
{
	const uint64_t entry[2] = { entry0, entry1 };
	uint64_t round;

	for (round = 0;; round++) {
		write_cr3(read_cr3());
		GUEST_SYNC_ARGS(1, guest_read64(TEST_GVA), 0, 0, 0);
		guest_write64(entry_gva, entry[!(round & 1)]);
		GUEST_SYNC(2);
	}
}

FIXTURE_VARIANT(table) {
	int level;
};
KVM_FIXTURE(table)

FIXTURE_VARIANT_ADD(table, pt) { PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(table, pd) { PG_LEVEL_2M };
FIXTURE_VARIANT_ADD(table, pdpt) { PG_LEVEL_1G };
FIXTURE_VARIANT_ADD(table, pml4) { PG_LEVEL_512G };

/* A page that is in slots of both: what is written to it in SMM counts outside. */
KVM_TEST_F(table, edited_in_smm)
{
	gpa_t entry_gpa, leaf[2];
	uint64_t *entry, value[2];
	struct kvm_vcpu *vcpu;
	unsigned int round, i;
	struct kvm_vm *vm;
	struct ucall uc;
	gva_t gva;

	/* When it is synced, KVM takes the right to write to it from one address space. */
	__TEST_REQUIRE(variant->level > PG_LEVEL_4K || kvm_is_tdp_enabled() ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug with shadow paging: a page table stays writable in SMM; --set known_bugs=1 makes it a failure");
	__TEST_REQUIRE(kernel_at_least(6, 1) || kvm_is_tdp_enabled() ||
		       kvm_test_option("known_bugs", 0),
		       "a known bug of this kernel: a write in SMM to a page table is not seen, and what comes of it may never end; --set known_bugs=1 makes it a failure");
	vm = vm_create_with_one_vcpu(&vcpu, guest_edits_in_smm);
	vm_smm_init(vm);
	/* Two ways that part at the entry in question. */
	for (i = 0; i < 2; i++) {
		leaf[i] = vm_phy_pages_alloc(vm, 1);
		*(uint64_t *)addr_gpa2hva(vm, leaf[i]) = VALUE(i);
		gva = TEST_GVA + i * PG_LEVEL_SIZE(variant->level);
		virt_pg_map(vm, gva, leaf[i]);
		entry_gpa = vm_entry_gpa(vm, gva, variant->level);
		value[i] = *(uint64_t *)addr_gpa2hva(vm, entry_gpa) | PTE_ACCESSED_MASK;
		if (variant->level == PG_LEVEL_4K)
			value[i] |= PTE_DIRTY_MASK;
	}
	entry_gpa = vm_entry_gpa(vm, TEST_GVA, variant->level);
	entry = addr_gpa2hva(vm, entry_gpa);
	virt_pg_map(vm, ENTRY_GVA, align_down(entry_gpa, PAGE_SIZE));
	vcpu_args_set(vcpu, 3, ENTRY_GVA + entry_gpa % PAGE_SIZE, value[0], value[1]);
	for (round = 0; round < test_tries(16); round++) {
		vcpu_run_to_sync(vcpu, &uc);
		TEST_ASSERT(uc.args[0] == 1 && uc.args[1] == VALUE(round & 1),
			    "round %u: the guest reads 0x%lx through entry 0x%lx of level %d, which it wrote in SMM, and then flushed: want 0x%lx",
			    round, uc.args[1], *entry, variant->level, VALUE(round & 1));
		test_step("round %u: edit an entry of level %d in SMM", round, variant->level);
		vcpu_set_smm(vcpu, true);
		vcpu_expect_sync(vcpu, 2);
		vcpu_set_smm(vcpu, false);
	}
	kvm_vm_free(vm);
}

/* ---- the VM dies while one vCPU is in SMM ---- */

static struct kvm_vm *live_in_smm(void *arg)
{
	static struct patterned_mem mem[NR_SPACES];
	static struct world w;
	unsigned int i, s;

	(void)arg;
	world_create(&w, 2 * NPAGES);
	for (s = 0; s < NR_SPACES; s++) {
		patterned_mem_alloc(&mem[s], VM_MEM_SRC_ANONYMOUS, NPAGES * PAGE_SIZE,
				    GPA, PATTERN(s + 1));
		arena_add(&w.a, &mem[s], GPA, slot_of(s, SLOT), 0);
	}
	enter(&w, 0, IN_SMM);
	for (i = 0; i < NR_VCPUS; i++) {
		expect_mem(&w, i, GPA, &mem[w.space[i]], 0, NPAGES);
		expect_gap(&w, i, GPA + NPAGES * PAGE_SIZE, NPAGES);
	}
	/* Not in guest mode, so that every fd can be closed. */
	for (i = 0; i < NR_VCPUS; i++)
		vcpu_thread_stop(w.a.probes[i].vcpu);
	breadcrumb("one vCPU is in SMM");
	return w.a.vm;
}

VM_DEATH_VARIANTS(death)

KVM_TEST_F(death, while_a_vcpu_is_in_smm)
{
	vm_die_in_child(variant->how, live_in_smm, NULL);
}

KVM_TEST_MAIN()
