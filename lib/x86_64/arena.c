// SPDX-License-Identifier: GPL-2.0-only
/* A stretch of guest physical memory between two neighbours; see arena.h. */
#include <stdarg.h>
#include <sys/utsname.h>

#include "arena.h"
#include "kvm_test.h"

/* Where arena_write() writes: behind the code, one word per probe. */
#define WRITE_OFFSET	0xc00UL

#define MAX_GAP_READS	24

void arena_create(struct arena *a, unsigned int nr_probes, size_t npages)
{
	const size_t guard = ARENA_GUARD_PAGES * PAGE_SIZE;
	const gpa_t low = ARENA_GPA - guard, high = ARENA_GPA + npages * PAGE_SIZE;

	memset(a, 0, sizeof(*a));
	a->npages = npages;
	a->nr_probes = nr_probes;
	a->vm = vm_create_with_probes(nr_probes, a->probes);
	virt_map(a->vm, low, low, npages + 2 * ARENA_GUARD_PAGES);
	patterned_mem_alloc(&a->low, VM_MEM_SRC_ANONYMOUS, guard, low,
			    (struct pattern){ 1, ARENA_LOW_SLOT });
	patterned_mem_alloc(&a->high, VM_MEM_SRC_ANONYMOUS, guard, high,
			    (struct pattern){ 1, ARENA_HIGH_SLOT });
	arena_add(a, &a->low, low, ARENA_LOW_SLOT, 0);
	arena_add(a, &a->high, high, ARENA_HIGH_SLOT, 0);
	probes_start(nr_probes, a->probes);
}

void arena_free(struct arena *a)
{
	arena_write(a, ARENA_GPA - ARENA_GUARD_PAGES * PAGE_SIZE, &a->low, 0,
		    ARENA_GUARD_PAGES);
	arena_write(a, ARENA_GPA + a->npages * PAGE_SIZE, &a->high, 0,
		    ARENA_GUARD_PAGES);
	kvm_vm_free(a->vm);
	patterned_mem_free(&a->low);
	patterned_mem_free(&a->high);
}

/*
 * Since 6.15 (e.g. in 7.2) kvm_tdp_mmu_map() WARNs when a slot appears between a
 * vCPU's lookup of its gap and the mapping of the fault, if another vCPU has
 * mapped the new memory by then: "fault->pfn != spte_to_pfn(old_spte)", and
 * fault->pfn says "no slot". Nothing else goes wrong. There, vCPUs that hammer
 * stand still while a slot appears, unless told otherwise by --set race=1.
 */
static bool creation_may_race(void)
{
	static int may = -1;
	unsigned int major, minor;
	struct utsname uts;

	if (may >= 0)
		return may;
	TEST_ERROR_ON(uname(&uts) || sscanf(uts.release, "%u.%u", &major, &minor) != 2,
		      "cannot tell the kernel's version");
	may = kvm_test_option("race", !kvm_is_tdp_enabled() || major < 6 ||
			      (major == 6 && minor < 15));
	if (!may)
		pr_info("slots appear only while no vCPU uses their gpas: this KVM WARNs otherwise (--set race=1 to see)");
	return may;
}

static void hold_all(struct arena *a, bool hold)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++)
		probe_hammer_hold(&a->probes[i], hold);
}

void arena_move(struct arena *a, uint32_t slot, gpa_t gpa)
{
	bool hold = a->hammering && !creation_may_race();

	if (hold)
		hold_all(a, true);
	vm_mem_region_move(a->vm, slot, gpa);
	if (hold)
		hold_all(a, false);
}

void arena_add_part(struct arena *a, struct patterned_mem *m, size_t first,
		    size_t npages, gpa_t gpa, uint32_t slot, uint32_t flags)
{
	bool hold = a->hammering && !creation_may_race();

	if (hold)
		hold_all(a, true);
	vm_mem_region_add_backing(a->vm, &m->mem,
				  (char *)m->mem.hva + first * PAGE_SIZE, gpa, slot,
				  npages, flags);
	if (hold)
		hold_all(a, false);
}

void arena_add(struct arena *a, struct patterned_mem *m, gpa_t gpa, uint32_t slot,
	       uint32_t flags)
{
	arena_add_part(a, m, 0, m->mem.size / PAGE_SIZE, gpa, slot, flags);
}

void arena_expect_mem(struct arena *a, gpa_t gpa, struct patterned_mem *m,
		      size_t first, size_t npages)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++)
		probe_check_pages(&a->probes[i], gpa, m, first, npages);
}

/*
 * Exits are slow on an emulated host, so of a large gap only some pages are read;
 * they are far more than a vCPU's cache of one MMIO page.
 */
void probe_expect_gaps(struct probe *p, gpa_t gpa, size_t npages)
{
	const size_t step = npages > MAX_GAP_READS ? npages / MAX_GAP_READS : 1;
	const size_t nr = (npages - 1) / step + 1;
	uint64_t out[PROBE_MAX_PAGES];
	unsigned int exits;
	char got[128];
	size_t i;

	exits = probe_read_pages(p, gpa, nr, step * PAGE_SIZE, out);
	for (i = 0; i < nr; i++) {
		gpa_t at = gpa + i * step * PAGE_SIZE;

		if (out[i] != probe_gap_value(at))
			TEST_FAIL("vCPU %u reads gpa 0x%lx, which is a gap: want an MMIO exit there, got %s; %u of %zu pages exited; %lu memslot updates so far",
				  p->vcpu->id, at,
				  probe_describe_value(out[i], got, sizeof(got)), exits,
				  nr, p->vcpu->vm->memslot_updates);
	}
	TEST_ASSERT_ORACLE(ORACLE_EXIT, exits == nr,
			   "vCPU %u: %zu reads of a gap at gpa 0x%lx took %u MMIO exits",
			   p->vcpu->id, nr, gpa, exits);
	gpa += (npages - 1) * PAGE_SIZE;
	probe_expect_gap(p, gpa, gpa);
}

void arena_expect_gap(struct arena *a, gpa_t gpa, size_t npages)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++)
		probe_expect_gaps(&a->probes[i], gpa, npages);
}

/* Returns the number of MMIO exits. */
static unsigned int write_pages(struct probe *p, gva_t gva, size_t npages,
				uint64_t value)
{
	unsigned int exits = 0;
	size_t done, nr;

	for (done = 0; done < npages; done += nr) {
		nr = npages - done < PROBE_MAX_PAGES ? npages - done : PROBE_MAX_PAGES;
		exits += probe_write_pages(p, gva + done * PAGE_SIZE, nr, value + done);
	}
	return exits;
}

void probe_write_mem(struct probe *p, gpa_t gpa, struct patterned_mem *m, size_t first,
		     size_t npages)
{
	size_t offset = WRITE_OFFSET + p->vcpu->id * 8, page;
	uint64_t value = test_random();
	unsigned int exits;

	exits = write_pages(p, gpa + offset, npages, value);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, !exits,
			   "vCPU %u: %u of %zu writes to RAM at gpa 0x%lx took an MMIO exit, the last at gpa 0x%lx; %lu memslot updates so far",
			   p->vcpu->id, exits, npages, gpa, p->mmio.gpa,
			   p->vcpu->vm->memslot_updates);
	for (page = 0; page < npages; page++)
		patterned_mem_wrote(m, (first + page) * PAGE_SIZE + offset, 8,
				    value + page);
}

void arena_write(struct arena *a, gpa_t gpa, struct patterned_mem *m, size_t first,
		 size_t npages)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++)
		probe_write_mem(&a->probes[i], gpa, m, first, npages);
	patterned_mem_check(m, "after the guest wrote at gpa 0x%lx", gpa);
}

void arena_check_neighbours(struct arena *a, const char *when, ...)
{
	const gpa_t low = ARENA_GPA - ARENA_GUARD_PAGES * PAGE_SIZE;
	const gpa_t high = ARENA_GPA + a->npages * PAGE_SIZE;
	char text[128];
	va_list ap;

	va_start(ap, when);
	vsnprintf(text, sizeof(text), when, ap);
	va_end(ap);
	arena_expect_mem(a, low, &a->low, 0, ARENA_GUARD_PAGES);
	arena_expect_mem(a, high, &a->high, 0, ARENA_GUARD_PAGES);
	patterned_mem_check(&a->low, "neighbour below, %s", text);
	patterned_mem_check(&a->high, "neighbour above, %s", text);
}

/* ---- hammering ---- */

static struct probe_page *world_page(struct arena *a, gpa_t gpa)
{
	struct probe_world *w = a->probes[0].world;

	TEST_ERROR_ON(gpa < w->gpa || (gpa - w->gpa) / PAGE_SIZE >= w->nr_pages,
		      "gpa 0x%lx is not hammered", gpa);
	return &w->page[(gpa - w->gpa) / PAGE_SIZE];
}

void arena_world_gap(struct arena *a, gpa_t gpa, size_t npages)
{
	size_t i;

	for (i = 0; i < npages; i++)
		*(volatile struct probe_page *)world_page(a, gpa + i * PAGE_SIZE) =
			(struct probe_page){
				.kind = PAGE_IS_GAP,
				.word0 = probe_gap_value(gpa + i * PAGE_SIZE),
			};
}

void arena_world_mem(struct arena *a, gpa_t gpa, const struct patterned_mem *m,
		     size_t first, size_t npages, enum probe_page_kind kind)
{
	size_t i;

	for (i = 0; i < npages; i++)
		*(volatile struct probe_page *)world_page(a, gpa + i * PAGE_SIZE) =
			(struct probe_page){
				.kind = kind,
				.word0 = patterned_mem_word0(m, first + i),
				.code = pattern_code(m->pattern, first + i),
			};
}

void arena_hammer_start(struct arena *a, gpa_t gpa, size_t npages,
			const unsigned int what[])
{
	struct probe_world *w = a->probes[0].world;
	unsigned int i;

	TEST_ERROR_ON(npages > PROBE_WINDOW_PAGES, "window of %zu pages", npages);
	w->gpa = w->gva = gpa;
	w->nr_pages = npages;
	arena_world_gap(a, gpa, npages);
	for (i = 0; i < a->nr_probes; i++)
		probe_hammer_start(&a->probes[i], what[i]);
	a->hammering = true;
}

void arena_hammer_stop(struct arena *a)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++)
		probe_hammer_stop(&a->probes[i]);
	a->hammering = false;
}

void arena_hammer_wait(struct arena *a)
{
	unsigned int i;

	for (i = 0; i < a->nr_probes; i++)
		probe_hammer_wait(&a->probes[i]);
}

void arena_update_begin(struct arena *a)
{
	probe_world_begin(&a->probes[0]);
}

void arena_update_end(struct arena *a)
{
	probe_world_end(&a->probes[0]);
}
