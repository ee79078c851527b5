/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where memslots are put to the test: probes in a VM, and between two slots that
 * must never change, a stretch of guest physical memory that a test fills as it
 * likes. Guest virtual addresses there are guest physical ones.
 */
#ifndef SELFTEST_KVM_ARENA_H
#define SELFTEST_KVM_ARENA_H

#include "pattern.h"
#include "probe.h"

#define ARENA_MAX_PROBES	8
#define ARENA_GPA		0x40000000UL
#define ARENA_GUARD_PAGES	4

/* Slots of the two neighbours; a test's own are 1 to 99 and 102 and up. */
#define ARENA_LOW_SLOT		100
#define ARENA_HIGH_SLOT		101

struct arena {
	struct kvm_vm *vm;
	unsigned int nr_probes;
	struct probe probes[ARENA_MAX_PROBES];
	bool hammering;
	size_t npages;			/* between the neighbours */
	struct patterned_mem low, high;
};

/* The probes run when this returns. */
void arena_create(struct arena *a, unsigned int nr_probes, size_t npages);
/* Has the neighbours written to, for the last time. */
void arena_free(struct arena *a);

/* Memory for a slot of the test at @gpa, and the slot. */
void arena_add(struct arena *a, struct patterned_mem *m, gpa_t gpa, uint32_t slot,
	       uint32_t flags);
/* @npages of @m from page @first on. */
void arena_add_part(struct arena *a, struct patterned_mem *m, size_t first,
		    size_t npages, gpa_t gpa, uint32_t slot, uint32_t flags);

/* While probes hammer, slots are created and moved through these only. */
void arena_move(struct arena *a, uint32_t slot, gpa_t gpa);

/* The neighbours hold every byte they held, and every probe can see that. */
void __attribute__((format(printf, 2, 3)))
arena_check_neighbours(struct arena *a, const char *when, ...);

/*
 * What each probe sees at [gpa, gpa + npages): the pages of @m from @first on,
 * by reading all of them and calling the code in the first and the last one; or
 * a gap, by reading many and writing to the last.
 */
void arena_expect_mem(struct arena *a, gpa_t gpa, struct patterned_mem *m,
		      size_t first, size_t npages);
void arena_expect_gap(struct arena *a, gpa_t gpa, size_t npages);

/* Each probe writes to each page a value of its own; @m must then hold it. */
void arena_write(struct arena *a, gpa_t gpa, struct patterned_mem *m, size_t first,
		 size_t npages);

/* The same for one probe; the caller compares the memory. */
void probe_expect_gaps(struct probe *p, gpa_t gpa, size_t npages);
void probe_write_mem(struct probe *p, gpa_t gpa, struct patterned_mem *m, size_t first,
		     size_t npages);

/*
 * ---- hammering the window [gpa, gpa + npages) ----
 * All of it is a gap at the start, unless that is within an update.
 */

void arena_hammer_start(struct arena *a, gpa_t gpa, size_t npages,
			const unsigned int what[]);
void arena_hammer_stop(struct arena *a);
/* All probes have been through the window since the last update. */
void arena_hammer_wait(struct arena *a);
void arena_update_begin(struct arena *a);
void arena_update_end(struct arena *a);
/* Between the two: what the pages from @gpa on are now. */
void arena_world_mem(struct arena *a, gpa_t gpa, const struct patterned_mem *m,
		     size_t first, size_t npages, enum probe_page_kind kind);
void arena_world_gap(struct arena *a, gpa_t gpa, size_t npages);

#endif /* SELFTEST_KVM_ARENA_H */
