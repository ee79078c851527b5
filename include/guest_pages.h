/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Patterned guest memory: an area of gpas whose every 4K page holds words that
 * name the page, so that a wrong translation shows where it led; guests that
 * write and check it; and a model of the page sizes that KVM maps it with.
 */
#ifndef SELFTEST_KVM_GUEST_PAGES_H
#define SELFTEST_KVM_GUEST_PAGES_H

#include "processor.h"

#define PAGE_WORDS	512
#define PAGE_USER_WORD	(PAGE_WORDS - 1)	/* not part of the pattern */

/* The round of a page says what it holds: 1..254 is a pattern. */
#define ROUND_NONE	0		/* nobody looks: no memory, or not touched */
#define ROUND_ZERO	255		/* all zero, the last word, too */

struct page_area {
	struct kvm_vm *vm;
	gpa_t gpa;			/* mapped at the same gva */
	uint64_t npages;
	int leaf;			/* level of the guest's leaf entries */
	unsigned int step;		/* every step-th word is compared */
	uint8_t *round;			/* per page; in slot 0, guests read it */
	uint8_t *todo;			/* per page: the round to write, or none */
	gva_t round_gva, todo_gva;
	int64_t base_4k;		/* pages_4k without the area, -1: unknown */
};

/*
 * Maps the area for the guest with leaves of @leaf, accessed and dirty. Memslots
 * are the caller's; no page has a round yet.
 */
void page_area_init(struct page_area *area, struct kvm_vm *vm, gpa_t gpa,
		    size_t size, int leaf, unsigned int step);

/* The host writes pages [first, first + n) and sets their round. */
void page_area_fill(struct page_area *area, uint64_t first, uint64_t n,
		    unsigned int round);
/*
 * All of the area, but of each 2M between the first and the last only three pages
 * get a round: enough to tell which page of the host is there, and 1G in no time.
 */
void page_area_fill_sparsely(struct page_area *area, unsigned int round);
/* Only says what pages hold, or that they are not to be touched. */
void page_area_set_round(struct page_area *area, uint64_t first, uint64_t n,
			 unsigned int round);
/* The host compares every page that has a round. */
void page_area_check(struct page_area *area, const char *when);

/* ---- guests that work on an area: one per vCPU ---- */

enum page_op {
	PAGES_READ,		/* check every page that has a round */
	PAGES_WRITE,		/* write every page that has something to do */
	PAGES_ACCESS,		/* one access to job->addr */
	PAGES_EXEC,		/* call job->addr */
	PAGES_READ_LOOP,	/* PAGES_READ until job->stop */
	PAGES_BUMP_LOOP,	/* count in each page's last word until job->stop */
	PAGES_RANDOM_LOOP,	/* write last words at random until job->stop */
	PAGES_HOT_READ,		/* read job->addr until job->go, then once more */
	PAGES_HOT_WRITE,	/* write job->addr until job->go, then once more */
};

/* In memory of slot 0 that host and guest share. */
struct page_job {
	uint64_t op;
	gpa_t gpa;
	uint64_t npages;
	uint64_t step;
	uint64_t first, stride;		/* in which order */
	const uint8_t *round, *todo;	/* the guest's addresses */
	uint64_t addr;
	uint64_t value;			/* read, written, or the vector of a fault */
	uint64_t error_code;		/* of that fault */
	uint64_t is_write;
	uint64_t seed;
	uint64_t go, done, stop;
	uint64_t loops;			/* rounds of a loop that are complete */
	uint64_t bad;			/* number of wrong pages; the first one's: */
	gpa_t bad_gpa;
	uint64_t bad_word, want, got;
};

struct page_worker {
	struct kvm_vcpu *vcpu;
	struct page_area *area;
	struct page_job *job;		/* the host's address */
	uint64_t op;
};

/* The vCPU's guest code; page_worker_init() gives it its job. */
void guest_page_worker(struct page_job *job);
void page_worker_init(struct page_worker *w, struct kvm_vcpu *vcpu,
		      struct page_area *area);

/* The guest checks every page that has a round; @when goes into the failure. */
void page_worker_read(struct page_worker *w, const char *when);
/* The guest writes pages [first, first + n) that have a round. */
void page_worker_write(struct page_worker *w, uint64_t first, uint64_t n,
		       unsigned int round);
/* The guest writes the pages with something in area->todo. */
void page_worker_write_todo(struct page_worker *w);
/* Prepares one access; the caller runs the vCPU, and page_worker_end()s it. */
void page_worker_access(struct page_worker *w, gpa_t gpa, bool is_write,
			uint64_t value);
/* Runs the vCPU to the end of its job. */
void page_worker_end(struct page_worker *w);
/* An access that is not to exit; returns what was read. */
uint64_t page_worker_read64(struct page_worker *w, gpa_t gpa);
/* Calls @gpa, where the code must run and return. */
void page_worker_exec(struct page_worker *w, gpa_t gpa);
/*
 * KVM_RUN must return EFAULT, for the host's memory is @what. The access waits;
 * page_worker_end() is for when it can be done.
 */
void page_worker_expect_efault(struct page_worker *w, gpa_t gpa, bool is_write,
			       const char *what);
/* The access must exit as MMIO. */
void page_worker_expect_gap(struct page_worker *w, gpa_t gpa);

/* A VM with one area and a worker on each vCPU; no memslot for the area yet. */
#define PAGE_VM_VCPUS	2

struct page_vm {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[PAGE_VM_VCPUS];
	struct page_area area;
	struct page_worker workers[PAGE_VM_VCPUS];
};

void page_vm_create(struct page_vm *p, uint32_t nr_vcpus, gpa_t gpa, size_t size,
		    int leaf, unsigned int step);
/* For a VM that is not KVM_X86_DEFAULT_VM. */
void page_vm_create_type(struct page_vm *p, unsigned long type, uint32_t nr_vcpus,
			 gpa_t gpa, size_t size, int leaf, unsigned int step);

/*
 * The area's memory as slot @slot, filled with round 1. Where that is made of
 * transparent huge pages, the host then collapses nothing by itself.
 */
void page_vm_add_mem(struct page_vm *p, struct backing_mem *mem,
		     enum vm_mem_backing_src_type src, uint32_t slot);

/* A thread that runs one of the endless operations until it is stopped. */
void page_worker_start(struct page_worker *w, enum page_op op);
/* Ends the operation and checks its result. */
void page_worker_stop(struct page_worker *w, const char *when);
/* Waits until the loop has gone round @n more times. */
void page_worker_wait_loops(struct page_worker *w, uint64_t n);

/*
 * A guest that stays in guest mode and accesses @gpa all the time, so that its
 * TLB has it (again). page_worker_go() returns what its first access after that
 * call read or wrote; it was also its last until page_worker_hot().
 */
void page_worker_hot(struct page_worker *w, enum page_op op, gpa_t gpa);
uint64_t page_worker_go(struct page_worker *w);

/* ---- page sizes ---- */

struct page_sizes {
	int64_t n4k, n2m, n1g;
};

/* True where this kernel's TDP MMU is in use: TDP and kvm.tdp_mmu. */
bool kvm_is_tdp_mmu_enabled(void);

/* How this KVM splits large pages of a slot whose writes are logged. */
enum log_split {
	SPLIT_EAGERLY,		/* when logging starts, or a page is cleared (5.18 and later) */
	SPLIT_AT_WRITE,		/* the first write to it: all of it stays mapped */
	UNMAP_AT_WRITE,		/* only what is written is mapped again */
};
enum log_split log_split(void);

/* False, with one line that says so, where KVM does not count its pages. */
bool page_sizes_read(struct kvm_vm *vm, struct page_sizes *sizes);

/* What KVM maps once all pages that have a round were touched. */
void page_area_model(struct page_area *area, struct page_sizes *sizes);
/* Level of the page that KVM maps @gpa with. */
int page_area_model_level(struct page_area *area, gpa_t gpa);

/* Makes KVM drop all that it mapped of the area; the data stays. */
void page_area_unmap(struct page_area *area);

/*
 * The guest reads (and checks) the area; then KVM must have mapped it with
 * exactly these sizes, or with the model's when @want is NULL. Leaves the area
 * unmapped. A negative want->n4k is not compared.
 */
void page_worker_check_sizes(struct page_worker *w, const struct page_sizes *want,
			     const char *when);
/*
 * The guest writes everything, twice: all of the area is mapped writable then,
 * in the sizes of the model, and page_area_check_sizes() may be used.
 */
void page_worker_map_all(struct page_worker *w, unsigned int round);
/*
 * Compares without a touch and without unmapping, as long as the guest only reads
 * and writes the area, which uses no more of slot 0 than page_worker_map_all().
 */
void page_area_check_sizes(struct page_area *area, const struct page_sizes *want,
			   const char *when);

#endif /* SELFTEST_KVM_GUEST_PAGES_H */
