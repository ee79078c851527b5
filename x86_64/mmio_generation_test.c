// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO SPTEs of every generation.
 *
 * An MMIO SPTE remembers "no memslot here" together with the generation of the
 * memslots at that time; some of its bits are the generation's. Each memslot
 * update moves the generation, and what an older one says is void. So, as the
 * bits fill up one after the other,
 *
 * - a gap must go on being a gap, on first touch and on its MMIO SPTE, and the
 *   page whose slot comes and goes must be what it is now;
 * - an MMIO SPTE must not outlive its generation, however old it is;
 * - an MMIO SPTE must be torn down as what it is, in every way a VMM dies.
 *
 * Bugs of this class: generation bits that overlap bits with another meaning,
 * MMIO SPTEs taken for mapped pages, a comparison of too few bits, a wrap of
 * the generation that nobody sees.
 *
 * Options: --set generations=N lets each case go on to generation N instead of
 * 2048. The field has 18 to 20 bits, so N = 0x100000 takes it through its wrap
 * on every kernel (and wants KVM_TEST_TIMEOUT_MUL=100).
 */
#include "dying.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(mmio_generation_test,
	.needs = { .timeout = 30 },
	.fixes = FIXES(
		"edea7c4fc215 KVM: x86/mmu: Use a dedicated bit to track shadow/MMU-present SPTEs",
		"e1359e2beb8b KVM: x86/mmu: Detect MMIO generation wrap in any address space",
		"ddfd1730fd82 KVM: x86/mmu: Do not cache MMIO accesses while memslots are in flux"));

#define DEFAULT_GENERATIONS	2048
/* So that the last power of two is reached even if the count is a bit off. */
#define PAST_THE_END		16
#define KEY			0x5ca1ab1e0ddba115UL

/* The slot whose updates drive the generation: one page in the PCI hole. */
#define DRIVE_SLOT		1
#define DRIVE_GPA		0xe0000000UL
#define DRIVE_GPA_MOVED		0xe8000000UL

/* Pages that are touched once, each in another generation. */
#define FIELD_SLOT		2
#define FIELD_GPA		0xd0000000UL

static uint64_t nr_generations(void)
{
	return kvm_test_option("generations", DEFAULT_GENERATIONS);
}

/* ---- guest ---- */

/* Each page is touched at an offset of its own; the host fills this in. */
enum { LOW_GAP, DRIVE_PAGE, MOVED_PAGE, TOP_GAP, NR_PAGES };
static gva_t guest_pages[NR_PAGES];

/* Reads all pages, then writes all pages: no page is touched twice in a row. */
static void guest_touch_alternately(void)
{
	uint64_t value[NR_PAGES], i;

	for (;;) {
		for (i = 0; i < NR_PAGES; i++)
			value[i] = guest_read64(guest_pages[i]);
		for (i = 0; i < NR_PAGES; i++)
			guest_write64(guest_pages[i], value[i] ^ KEY);
	}
}

/* Reads where the host says. */
static gva_t guest_target;

static void guest_read_target(void)
{
	for (;;)
		GUEST_SYNC(guest_read64(guest_target));
}

/* ---- host: driving the generation ---- */

static struct kvm_vm *create_vm(uint32_t nr_vcpus, void *guest_code,
				struct kvm_vcpu *vcpus[])
{
	struct kvm_vm *vm = vm_create_with_vcpus(nr_vcpus, guest_code, vcpus);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA,
				    DRIVE_SLOT, 1, 0);
	return vm;
}

/* The cheapest update: moves the generation by one step and zaps nothing. */
static void toggle_flags(struct kvm_vm *vm)
{
	uint32_t flags = vm_get_mem_region(vm, DRIVE_SLOT)->flags;

	vm_mem_region_set_flags(vm, DRIVE_SLOT, flags ^ KVM_MEM_LOG_DIRTY_PAGES);
}

static void move(struct kvm_vm *vm)
{
	gpa_t gpa = vm_get_mem_region(vm, DRIVE_SLOT)->gpa;

	vm_mem_region_move(vm, DRIVE_SLOT, gpa == DRIVE_GPA ? DRIVE_GPA_MOVED :
							      DRIVE_GPA);
}

/* The memory goes with the slot, so each life has its own. */
static void create_or_delete(struct kvm_vm *vm)
{
	if (vm_get_mem_region(vm, DRIVE_SLOT))
		vm_mem_region_delete(vm, DRIVE_SLOT);
	else
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA,
					    DRIVE_SLOT, 1, 0);
}

/* ---- a gap is a gap, a slot is a slot, after every update ---- */

struct touch {
	struct kvm_vm *vm;
	gpa_t gpa[NR_PAGES];
	uint64_t next_milestone;	/* power of two of the generation */
	uint64_t gap_touches;		/* first ones in their generation */
};

static void touch_init(struct touch *t, struct kvm_vm *vm)
{
	int i;

	t->vm = vm;
	t->gap_touches = 0;
	t->next_milestone = 8;
	t->gpa[LOW_GAP] = 0xa0000;
	t->gpa[DRIVE_PAGE] = DRIVE_GPA;
	t->gpa[MOVED_PAGE] = DRIVE_GPA_MOVED;
	t->gpa[TOP_GAP] = vm->max_gfn << PAGE_SHIFT;
	for (i = 0; i < NR_PAGES; i++) {
		guest_pages[i] = vm_map_gpa(vm, t->gpa[i], PAGE_SIZE) + 16 * i;
		t->gpa[i] += 16 * i;
	}
	sync_global_to_guest(vm, guest_pages);
}

/* A page's words are its slot's life and their own index. */
static void fill_page(uint64_t *page, uint64_t life)
{
	uint64_t i;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		page[i] = life << 16 | i;
}

static void check_page(const struct touch *t, gpa_t gpa, uint64_t life,
		       uint64_t touched)
{
	uint64_t *page = addr_gpa2hva(t->vm, align_down(gpa, PAGE_SIZE)), want, i;

	for (i = 0; i < PAGE_SIZE / 8; i++) {
		want = i == gpa % PAGE_SIZE / 8 ? touched : life << 16 | i;
		TEST_ASSERT(page[i] == want,
			    "gpa 0x%lx (slot %u) is 0x%lx, want 0x%lx, after %lu memslot updates",
			    align_down(gpa, PAGE_SIZE) + 8 * i, DRIVE_SLOT,
			    page[i], want, t->vm->memslot_updates);
	}
}

/* One round of guest_touch_alternately(): what has no slot exits, and only that. */
static void touch_alternately(struct touch *t, struct kvm_vcpu *vcpu)
{
	const uint64_t life = t->vm->memslot_updates;
	uint64_t value[NR_PAGES];
	bool ram[NR_PAGES];
	int i;

	if (t->vm->memslot_generation >= t->next_milestone) {
		while (t->next_milestone <= t->vm->memslot_generation)
			t->next_milestone *= 2;
		breadcrumb("generation %lu, %lu updates: touch gaps alternately",
			   t->vm->memslot_generation, t->vm->memslot_updates);
	}
	for (i = 0; i < NR_PAGES; i++) {
		ram[i] = vm_find_gpa(t->vm, t->gpa[i]);
		value[i] = ram[i] ? life << 16 | t->gpa[i] % PAGE_SIZE / 8 :
				    test_random();
		if (ram[i])
			fill_page(addr_gpa2hva(t->vm, align_down(t->gpa[i], PAGE_SIZE)),
				  life);
	}
	for (i = 0; i < NR_PAGES; i++) {
		if (!ram[i])
			vcpu_expect_mmio_read(vcpu, t->gpa[i], 8, value[i]);
		t->gap_touches += !ram[i];
	}
	for (i = 0; i < NR_PAGES; i++) {
		if (!ram[i])
			vcpu_expect_mmio_write(vcpu, t->gpa[i], 8, value[i] ^ KEY);
	}
	for (i = 0; i < NR_PAGES; i++) {
		if (ram[i])
			check_page(t, t->gpa[i], life, value[i] ^ KEY);
	}
}

/*
 * The first touch of a gap in each generation makes an MMIO SPTE, the later ones
 * find it. Where the CPU has no reserved bit to spare there are none at all.
 */
static void check_sptes_created(const struct touch *t)
{
	bool caching = kvm_get_module_param_bool("kvm", "mmio_caching");
	int64_t created;

	if (!vm_read_stat(t->vm, "pf_mmio_spte_created", &created) ||
	    kvm_get_module_param_integer("kvm", "mmio_caching") < 0) {
		pr_info("not counted: this kernel does not say how many MMIO SPTEs it made");
		return;
	}
	TEST_ASSERT_ORACLE(ORACLE_STATS,
			   (uint64_t)created == (caching ? t->gap_touches : 0),
			   "pf_mmio_spte_created is %ld; gaps touched first in their generation: %lu, mmio_caching=%c",
			   created, t->gap_touches, caching ? 'Y' : 'N');
}

KVM_FIXTURE(update);
FIXTURE_VARIANT(update) {
	void (*update)(struct kvm_vm *vm);
};

FIXTURE_VARIANT_ADD(update, flags) { .update = toggle_flags };
FIXTURE_VARIANT_ADD(update, move) { .update = move };
FIXTURE_VARIANT_ADD(update, create_or_delete) { .update = create_or_delete };

KVM_TEST_F(update, gaps_stay_gaps)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = create_vm(2, guest_touch_alternately, vcpus);
	uint64_t end = nr_generations() + PAST_THE_END;
	struct touch t;

	touch_init(&t, vm);
	while (vm->memslot_generation < end) {
		touch_alternately(&t, vcpus[vm->memslot_updates % 2]);
		variant->update(vm);
	}
	touch_alternately(&t, vcpus[0]);
	check_sptes_created(&t);
	kvm_vm_free(vm);
}

/* ---- an MMIO SPTE does not outlive its generation ---- */

struct field {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	gva_t gva;
	uint64_t npages;
};

static void field_init(struct field *f, uint64_t npages)
{
	f->npages = npages;
	f->vm = create_vm(1, guest_read_target, &f->vcpu);
	f->gva = vm_map_gpa(f->vm, FIELD_GPA, npages * PAGE_SIZE);
}

/* The guest reads page @i; returns what it got. */
static uint64_t field_read(struct field *f, uint64_t i, bool is_gap)
{
	uint64_t value = test_random();
	struct ucall uc;

	write_guest_global(f->vm, guest_target, f->gva + i * PAGE_SIZE);
	if (is_gap)
		vcpu_expect_mmio_read(f->vcpu, FIELD_GPA + i * PAGE_SIZE, 8, value);
	vcpu_run_to_sync(f->vcpu, &uc);
	TEST_ASSERT(!is_gap || uc.args[0] == value,
		    "gap at 0x%lx: the guest read 0x%lx, it was given 0x%lx",
		    FIELD_GPA + i * PAGE_SIZE, uc.args[0], value);
	return uc.args[0];
}

static void field_becomes_ram(struct field *f)
{
	uint64_t i;

	vm_userspace_mem_region_add(f->vm, VM_MEM_SRC_ANONYMOUS, FIELD_GPA,
				    FIELD_SLOT, f->npages, 0);
	for (i = 0; i < f->npages; i++)
		*(uint64_t *)addr_gpa2hva(f->vm, FIELD_GPA + i * PAGE_SIZE) = KEY + i;
}

/* @born: the generation of the page's MMIO SPTE. */
static void field_expect_ram(struct field *f, uint64_t i, uint64_t born)
{
	uint64_t got;

	got = field_read(f, i, false);
	TEST_ASSERT(got == KEY + i,
		    "gpa 0x%lx (slot %u): the guest read 0x%lx, want 0x%lx; its MMIO SPTE was made in generation %lu, now is %lu",
		    FIELD_GPA + i * PAGE_SIZE, FIELD_SLOT, got, KEY + i, born,
		    f->vm->memslot_generation);
}

/*
 * Page N's MMIO SPTE is exactly 2^N generations old when the guest reads the
 * page, which is RAM by then: all bits of the generation but one are the same.
 */
KVM_FIXTURE(stale);
FIXTURE_VARIANT(stale) { int unused; };

KVM_TEST_F(stale, ram_beats_an_spte_2_to_the_n_generations_old)
{
	uint64_t i, born, age, end = nr_generations();
	struct kvm_vm *vm;
	struct field f;

	field_init(&f, 64);
	vm = f.vm;
	for (i = 1; i < f.npages; i++)
		field_read(&f, i, true);
	born = vm->memslot_generation;
	field_becomes_ram(&f);

	for (i = 1; (age = 1UL << i) <= end; i++) {
		while (vm->memslot_generation - born < age)
			toggle_flags(vm);
		TEST_ERROR_ON(vm->memslot_generation - born != age,
			      "the generation moves in steps of two");
		breadcrumb("generation %lu: MMIO SPTE of generation %lu under RAM",
			   vm->memslot_generation, born);
		field_expect_ram(&f, i, born);
	}
	kvm_vm_free(vm);
}

/* One slot covers MMIO SPTEs of many generations, and all of them are void. */
KVM_TEST_F(stale, ram_beats_sptes_of_all_generations)
{
	enum { NPAGES = 512 };
	uint64_t i, end = nr_generations(), born[NPAGES];
	struct field f;

	field_init(&f, NPAGES);
	for (i = 0; i < NPAGES; i++) {
		born[i] = f.vm->memslot_generation;
		field_read(&f, i, true);
		while (f.vm->memslot_generation < end * (i + 1) / NPAGES)
			toggle_flags(f.vm);
	}
	breadcrumb("generation %lu: MMIO SPTEs of all generations under RAM",
		   f.vm->memslot_generation);
	field_becomes_ram(&f);
	for (i = 0; i < NPAGES; i++)
		field_expect_ram(&f, i, born[i]);
	vm_mem_region_delete(f.vm, FIELD_SLOT);
	for (i = 0; i < NPAGES; i++)
		field_read(&f, i, true);
	kvm_vm_free(f.vm);
}

/* ---- MMIO SPTEs of exactly that generation are torn down ---- */

/* Steps before and after the power of two that have an MMIO SPTE of their own. */
#define AROUND		3

/* Generations in a row, among them @arg, each with an MMIO SPTE of its own. */
static struct kvm_vm *live_around(void *arg)
{
	const uint64_t middle = *(uint64_t *)arg, first = middle - 2 * AROUND;
	struct field f;
	int64_t before, after;
	bool counted;
	uint64_t i;

	field_init(&f, 2 * AROUND + 3);
	while (f.vm->memslot_generation + 4 <= first)
		move(f.vm);
	while (f.vm->memslot_generation < first)
		toggle_flags(f.vm);
	/* A first access maps what the guest itself needs. */
	field_read(&f, 2 * AROUND + 2, true);
	counted = vm_read_stat(f.vm, "pages_4k", &before);

	for (i = 0; i <= 2 * AROUND; i++) {
		if (i)
			toggle_flags(f.vm);
		field_read(&f, i, true);
	}
	/* The last generation has two. */
	field_read(&f, i, true);
	if (counted && vm_read_stat(f.vm, "pages_4k", &after))
		TEST_ASSERT_ORACLE(ORACLE_STATS, after == before,
				   "an MMIO SPTE maps nothing, but %u of them, of generations %lu to %lu, made pages_4k go from %ld to %ld",
				   2 * AROUND + 2, first, f.vm->memslot_generation,
				   before, after);
	breadcrumb("MMIO SPTEs of generations %lu to %lu are alive", first,
		   f.vm->memslot_generation);
	return f.vm;
}

VM_DEATH_VARIANTS(death)

KVM_TEST_F(death, at_each_power_of_two)
{
	uint64_t generation;

	for (generation = 16; generation <= nr_generations(); generation *= 2)
		vm_die_in_child(variant->how, live_around, &generation);
}

KVM_TEST_MAIN()
