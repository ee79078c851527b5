// SPDX-License-Identifier: GPL-2.0-only
/*
 * More than a hundred slots with gaps between them: whatever the order in which
 * they are deleted, what is left is RAM with its own data, and nothing else is.
 *
 * What breaks this: a lookup that finds a slot by its start alone, a tree or a
 * sorted array that loses its order, a cached last-used slot that is gone, a
 * zap by range that takes too much or too little.
 */
#include <asm/kvm_para.h>

#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_many_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY)), .mem_mb = 64 },
	.fixes = FIXES("b6467ab142b7 KVM: Check validity of resolved slot when searching memslots",
		       "0774a964ef56 KVM: Fix out of range accesses to memslots"));

#define SLOT	1
#define GPA	ARENA_GPA

#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

#define MANY		128
#define MANY_PAGES	3	/* and a gap of one page behind each */
#define MANY_STRIDE	((MANY_PAGES + 1) * PAGE_SIZE)

FIXTURE_VARIANT(order) {
	unsigned int (*slot)(const unsigned int shuffled[], unsigned int step);
};
KVM_FIXTURE(order)

static unsigned int ascending(const unsigned int shuffled[], unsigned int step)
{
	(void)shuffled;
	return step;
}

static unsigned int descending(const unsigned int shuffled[], unsigned int step)
{
	(void)shuffled;
	return MANY - 1 - step;
}

static unsigned int every_other(const unsigned int shuffled[], unsigned int step)
{
	(void)shuffled;
	return step < MANY / 2 ? 2 * step : 2 * (step - MANY / 2) + 1;
}

static unsigned int at_random(const unsigned int shuffled[], unsigned int step)
{
	return shuffled[step];
}

FIXTURE_VARIANT_ADD(order, ascending) { .slot = ascending, };
FIXTURE_VARIANT_ADD(order, descending) { .slot = descending, };
FIXTURE_VARIANT_ADD(order, every_other) { .slot = every_other, };
FIXTURE_VARIANT_ADD(order, at_random) { .slot = at_random, };

struct many {
	struct arena a;
	struct patterned_mem mem;	/* of all slots, one behind the other */
	unsigned int shuffled[MANY];
	bool there[MANY];
};

static gpa_t many_gpa(unsigned int i)
{
	return GPA + i * MANY_STRIDE;
}

static void many_add(struct many *m, unsigned int i)
{
	/* Slot numbers that have nothing to do with the order of the gpas. */
	arena_add_part(&m->a, &m->mem, i * MANY_PAGES, MANY_PAGES, many_gpa(i),
		       200 + m->shuffled[i], 0);
	m->there[i] = true;
}

/* One order for up to 512 pages: what is RAM and what is not. */
static void many_check(struct many *m, unsigned int first, unsigned int nr)
{
	const size_t npages = nr * (MANY_PAGES + 1);
	uint64_t out[PROBE_MAX_PAGES], want;
	char text[2][128];
	size_t page;

	probe_read_pages(&m->a.probes[0], many_gpa(first), npages, PAGE_SIZE, out);
	for (page = 0; page < npages; page++) {
		size_t i = first + page / (MANY_PAGES + 1), n = page % (MANY_PAGES + 1);
		gpa_t gpa = many_gpa(first) + page * PAGE_SIZE;

		want = m->there[i] && n < MANY_PAGES ?
		       pattern_word(m->mem.pattern, i * MANY_PAGES + n, 0) :
		       probe_gap_value(gpa);
		TEST_ASSERT(out[page] == want,
			    "gpa 0x%lx (%s of area %zu, %s): the guest reads %s, want %s; %lu memslot updates so far",
			    gpa, n < MANY_PAGES ? "slot" : "gap", i,
			    m->there[i] ? "there" : "deleted",
			    probe_describe_value(out[page], text[0], sizeof(text[0])),
			    probe_describe_value(want, text[1], sizeof(text[1])),
			    m->a.vm->memslot_updates);
	}
}

static void many_check_around(struct many *m, unsigned int i)
{
	unsigned int first = i ? i - 1 : 0, last = i < MANY - 1 ? i + 1 : i;

	many_check(m, first, last - first + 1);
}

static void many_delete(struct many *m, unsigned int i)
{
	vm_mem_region_delete(m->a.vm, 200 + m->shuffled[i]);
	m->there[i] = false;
	many_check_around(m, i);
}

static void shuffle(unsigned int n[], unsigned int nr)
{
	unsigned int i, j, tmp;

	for (i = 0; i < nr; i++)
		n[i] = i;
	for (i = nr - 1; i > 0; i--) {
		j = test_random() % (i + 1);
		tmp = n[i];
		n[i] = n[j];
		n[j] = tmp;
	}
}

KVM_TEST_F(order, many_slots_are_deleted_one_by_one)
{
	static struct many m;
	unsigned int i, step;

	arena_create(&m.a, 1, MANY * (MANY_PAGES + 1));
	patterned_mem_alloc(&m.mem, VM_MEM_SRC_ANONYMOUS,
			    MANY * MANY_PAGES * PAGE_SIZE, 0, PATTERN(1));
	shuffle(m.shuffled, MANY);
	breadcrumb("create %u slots", MANY);
	for (i = 0; i < MANY; i++)
		many_add(&m, m.shuffled[i]);
	many_check(&m, 0, MANY);

	for (step = 0; step < MANY; step++) {
		i = variant->slot(m.shuffled, step);
		if (step % 16 == 0) {
			breadcrumb("deletion %u: area %u", step, i);
			many_check(&m, 0, MANY);
		}
		many_delete(&m, i);
		/* Some come back at once, where they were, and go again. */
		if (step % 10 == 0) {
			many_add(&m, i);
			many_check_around(&m, i);
			many_delete(&m, i);
		}
	}
	many_check(&m, 0, MANY);
	patterned_mem_check(&m.mem, "all slots deleted");
	arena_check_neighbours(&m.a, "all %u slots deleted", MANY);
	arena_free(&m.a);
}

/* ---- lookups that KVM makes for itself, not for a vCPU's fault ---- */

#define LOOKUP_SLOTS	6
#define LOOKUP_GPA(i)	(GPA + (i) * 2 * SZ_1M)
#define OTHER_SLOT	(SLOT + LOOKUP_SLOTS)

/*
 * The MSR takes the gpa of guest memory, and KVM looks up at once what is there; it
 * starts with the slot that the last such lookup found.
 */
static void expect_found(struct kvm_vcpu *vcpu, gpa_t gpa, bool want, const char *when)
{
	union {
		struct kvm_msrs msrs;
		char room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} u = { .msrs.nmsrs = 1 };
	struct kvm_msr_entry *entry = u.msrs.entries;
	char where[256];
	bool found;

	entry->index = MSR_KVM_PV_EOI_EN;
	entry->data = gpa | KVM_MSR_ENABLED;
	found = __vcpu_ioctl(vcpu, KVM_SET_MSRS, &u.msrs) == 1;
	TEST_ASSERT(found == want,
		    "%s: KVM %s memory at gpa 0x%lx (%s); %lu memslot updates so far", when,
		    found ? "finds" : "does not find", gpa,
		    vm_describe_gpa(vcpu->vm, gpa, where, sizeof(where)),
		    vcpu->vm->memslot_updates);
	entry->data = 0;
	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_SET_MSRS, &u.msrs), 1);
}

/* Every update makes the other one of two sets of memslots the current one. */
static void expect_found_twice(struct kvm_vcpu *vcpu, gpa_t gpa, bool want, const char *when)
{
	uint32_t flags = vm_get_mem_region(vcpu->vm, OTHER_SLOT)->flags;

	expect_found(vcpu, gpa, want, when);
	vm_mem_region_set_flags(vcpu->vm, OTHER_SLOT, flags ^ KVM_MEM_LOG_DIRTY_PAGES);
	expect_found(vcpu, gpa, want, when);
}

/*
 * What KVM remembers may be free memory by now, and the next slot that is created,
 * on this CPU, may get it: one of another VM's is the most wrong of all.
 */
static void expect_not_found(struct kvm_vcpu *vcpu, struct kvm_vm *other, gpa_t gpa)
{
	vm_userspace_mem_region_add(other, VM_MEM_SRC_ANONYMOUS, gpa, SLOT, 1, 0);
	expect_found_twice(vcpu, gpa, false, "slot deleted, another VM has one there");
	vm_mem_region_delete(other, SLOT);
	expect_found_twice(vcpu, gpa, false, "slot deleted");
}

KVM_TEST(kvm_finds_what_is_there)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, NULL);
	struct kvm_vm *other = vm_create_barebones();
	unsigned int i, round;

	stay_on_this_cpu();
	for (i = 0; i <= LOOKUP_SLOTS; i++)
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, LOOKUP_GPA(i),
					    SLOT + i, 1, 0);
	for (round = 0; round < 4; round++) {
		for (i = 0; i < LOOKUP_SLOTS; i++) {
			gpa_t gpa = LOOKUP_GPA(i);

			breadcrumb("round %u: slot %u at gpa 0x%lx", round, SLOT + i, gpa);
			expect_found_twice(vcpu, gpa, true, "slot is there");
			expect_found(vcpu, gpa + PAGE_SIZE, false, "gap behind a slot");
			expect_found(vcpu, gpa - PAGE_SIZE, false, "gap before a slot");
			expect_found_twice(vcpu, gpa, true, "slot is there");
			vm_mem_region_move(vm, SLOT + i, gpa + SZ_1M);
			expect_found(vcpu, gpa, false, "slot moved away");
			expect_found_twice(vcpu, gpa + SZ_1M, true, "slot moved");
			vm_mem_region_delete(vm, SLOT + i);
			expect_not_found(vcpu, other, gpa + SZ_1M);
			vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, SLOT + i,
						    1, 0);
			expect_found_twice(vcpu, gpa, true, "slot created again");
		}
	}
	kvm_vm_free(other);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
