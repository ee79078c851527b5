/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A probe is a vCPU that does single accesses on the host's order without
 * leaving guest mode in between: orders and results go through shared memory.
 * That is what it takes to see a TLB entry that should have been flushed. On a
 * host with no more CPUs than probes they leave it while they wait: none would
 * be in guest mode when it counts, and an order would take each one's time slice.
 *
 * A probe can also hammer: access a window of pages in a loop, and check each
 * access against a description of the window that the host changes around each
 * of its memslot updates.
 *
 * Exits are handled by the probe's thread. A read of a gap is answered with
 * probe_gap_value() of its gpa.
 */
#ifndef SELFTEST_KVM_PROBE_H
#define SELFTEST_KVM_PROBE_H

#include "kvm_util.h"
#include "pattern.h"
#include "processor.h"

#define PROBE_MAX_PAGES		512
#define PROBE_WINDOW_PAGES	64	/* of a window that is hammered */

enum probe_outcome {
	PROBE_RAM,		/* done without an exit to user space */
	PROBE_MMIO,		/* done, through exactly one KVM_EXIT_MMIO */
	PROBE_EXCEPTION,	/* the guest took an exception */
	/* The access has not happened; probe_retry() lets the guest try again. */
	PROBE_INTERNAL_ERROR,	/* KVM_EXIT_INTERNAL_ERROR, emulation failed */
	PROBE_EFAULT,		/* KVM_RUN returned EFAULT */
};

struct probe_result {
	enum probe_outcome outcome;
	uint64_t value;		/* read, or returned by the code called */
	uint64_t vector, error_code;
	struct mmio_access mmio;
};

enum probe_page_kind {
	PAGE_IS_GAP,
	PAGE_IS_RAM,
	PAGE_IS_READONLY,
};

#define HAMMER_READ	BIT(0)
#define HAMMER_WRITE	BIT(1)
#define HAMMER_EXEC	BIT(2)

/* What probes that hammer compare with; in guest memory. */
struct probe_world {
	uint64_t begun, done;	/* updates */
	uint64_t nr_pages;
	gva_t gva;
	gpa_t gpa;
	struct probe_page {
		uint64_t kind;
		uint64_t word0;	/* at offset 0 */
		uint64_t code;	/* what it returns; 0: the fetch must fail */
	} page[PROBE_WINDOW_PAGES];
};

struct probe_box;

struct probe {
	struct kvm_vcpu *vcpu;
	struct probe_box *box;
	struct probe_world *world;
	gva_t world_gva;
	_Atomic int stuck;		/* enum probe_outcome, when not 0 */
	_Atomic bool efault_ok;		/* while hammering: tried again at once */
	_Atomic unsigned int nr_mmio;
	struct mmio_access mmio;
};

/*
 * A VM with @nr probes, none of which is running yet; probes_start() starts
 * them all. They share one struct probe_world.
 */
struct kvm_vm *vm_create_with_probes(unsigned int nr, struct probe probes[]);
void probes_start(unsigned int nr, struct probe probes[]);

static inline uint64_t probe_gap_value(gpa_t gpa)
{
	return ~gpa;
}

/* A pattern, the answer of a gap, or the stamp of a hammering probe, in words. */
const char *probe_describe_value(uint64_t value, char *buf, size_t size);

struct probe_result probe_read(struct probe *p, gva_t gva, unsigned int len);
struct probe_result probe_write(struct probe *p, gva_t gva, unsigned int len,
				uint64_t value);
/* Calls code at @gva that changes nothing but EAX. */
struct probe_result probe_exec(struct probe *p, gva_t gva);
/* Adds @value to the 8 bytes at @gva, with and without a LOCK prefix. */
struct probe_result probe_add(struct probe *p, gva_t gva, uint64_t value, bool lock);
/* A CR3 write, which forgets all translations of the guest's. */
void probe_flush_tlb(struct probe *p);
struct probe_result probe_retry(struct probe *p);

/*
 * Reads 8 bytes at @nr places, @stride bytes apart, or writes @value + page to
 * @nr pages, in one go. Returns how many accesses exited with MMIO.
 */
unsigned int probe_read_pages(struct probe *p, gva_t gva, unsigned int nr,
			      size_t stride, uint64_t out[]);
unsigned int probe_write_pages(struct probe *p, gva_t gva, unsigned int nr,
			       uint64_t value);

/*
 * Reads each of these pages of @m, which are at @gva, and calls the code in the
 * first and the last one.
 */
void probe_check_pages(struct probe *p, gva_t gva, struct patterned_mem *m,
		       size_t first, size_t npages);

/* Failures name gpa, slot or gap, and both values. */
void probe_expect_ram(struct probe *p, gva_t gva, uint64_t value);
void probe_expect_gap(struct probe *p, gva_t gva, gpa_t gpa);
void __attribute__((noreturn))
probe_unexpected(struct probe *p, gva_t gva, const struct probe_result *r,
		 const char *want);

/* ---- hammering ---- */

void probe_hammer_start(struct probe *p, unsigned int what);
/* Stops and fails the case when the probe has seen what it should not. */
void probe_hammer_stop(struct probe *p);
/*
 * Waits until the probe has gone through the window twice more, which also
 * shows that KVM_RUN gets on; fails as probe_hammer_stop() does.
 */
void probe_hammer_wait(struct probe *p);
/*
 * While held, the probe stays in guest mode and away from the window. Does
 * nothing when the probe is not hammering.
 */
void probe_hammer_hold(struct probe *p, bool hold);
/* Where in each page the probe writes. */
size_t probe_hammer_cell(const struct probe *p);

/* Around each update; in between, the new world is written to @p->world. */
void probe_world_begin(struct probe *p);
void probe_world_end(struct probe *p);

#endif /* SELFTEST_KVM_PROBE_H */
