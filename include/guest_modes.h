/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that goes between the CPU's paging modes and edits the page tables of
 * all of them: no paging, 32-bit with two levels, PAE, and long mode with four levels
 * or five, where it is in a 32-bit segment, so that the same code runs everywhere. The
 * host gives the steps; it knows what must come from a walk of its own.
 */
#ifndef SELFTEST_KVM_GUEST_MODES_H
#define SELFTEST_KVM_GUEST_MODES_H

#include "processor.h"

enum cpu_mode {
	MODE_NONPAGED, MODE_32BIT, MODE_PAE, MODE_LONG, MODE_LA57, NR_CPU_MODES,
};

/* Mapped at the same address in all modes: code, and then tables. */
#define MODES_GPA		0x400000UL
#define MODES_SLOT		1
#define MODES_DATA_GPA		0x600000UL
#define MODES_DATA_SLOT		2
#define MODES_DATA_PAGES	512
#define MODES_GAP_GPA		0x80000000UL

/*
 * What is tested: 4K pages in both halves of a 32-bit page table, at the same
 * places, for which the other modes have a table each; one large page, as large as
 * the mode has them; a gap.
 */
#define MODES_WINDOW		0xc0400000UL
#define MODES_WINDOW_PAGES	16
#define MODES_LARGE		0x4b000000UL
#define MODES_GAP		0x96000000UL

static inline uint32_t modes_window(unsigned int page)
{
	return MODES_WINDOW + page / 8 * SZ_2M + page % 8 * PAGE_SIZE;
}

/* A page of data is a number, where a write goes, and there a function. */
#define MODES_CALLEE_OFFSET	0x800
#define MODES_DONE_PORT		0x1008	/* the guest writes it behind the last step */

enum modes_op {
	MODES_READ, MODES_WRITE, MODES_EXEC,
	MODES_WRITE64,		/* CMPXCHG8B */
	MODES_CR0, MODES_CR3, MODES_CR4, MODES_EFER,
	MODES_INVLPG,		/* or INVPCID of the address, if value is not 0 */
	MODES_LIDT,
	MODES_READ_FS, MODES_WRITE_FS,	/* FS begins at MODES_FS_BASE */
	MODES_VMRUN,		/* clears accessed bits of the PDPTEs at value before */
	MODES_VMMCALL,
};

#define MODES_FS_BASE		0x1000U

/* In guest memory; the guest's code knows the layout. */
struct modes_step {
	uint32_t op, addr, value, high;
	uint32_t got, vector, error_code, cr2;
};

#define MODES_MAX_STEPS		256

struct modes_box {
	uint32_t nr, current, exit_in_exceptions, pad[5];
	struct modes_step step[MODES_MAX_STEPS];
};

/* Where a linear address leads. */
struct modes_walk {
	bool present, reserved, writable, nx;
	uint64_t gpa;
};

struct modes {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct modes_box *box;
	enum cpu_mode mode;
	struct backing_mem data;
	bool data_is_gap;
	gpa_t root[NR_CPU_MODES];
	/* Two of each, of which the window goes through one. */
	gpa_t pt32[2], pd[2], pt[2][2];
	uint64_t pdptes[4];		/* of PAE, as the CPU has loaded them */
	bool no_pse;			/* CR4.PSE is clear in 32-bit mode */
	uint32_t stored;		/* the last value that was written to data */
};

static inline uint32_t *modes_word32(struct modes *m, gpa_t gpa)
{
	return addr_gpa2hva(m->vm, gpa);
}

static inline uint64_t *modes_word64(struct modes *m, gpa_t gpa)
{
	return addr_gpa2hva(m->vm, gpa);
}

/* Mode is MODE_NONPAGED when this returns; all modes have tables. */
void modes_create(struct modes *m);
void modes_free(struct modes *m);
/* Has the data in its memslot, or in none. */
void modes_set_data_slot(struct modes *m, bool there);
const char *cpu_mode_name(enum cpu_mode mode);
/* False where the guest cannot go there. */
bool cpu_mode_possible(enum cpu_mode mode);

/* ---- steps, until modes_run() ---- */

struct modes_step *modes_add(struct modes *m, enum modes_op op, uint32_t addr,
			     uint32_t value);
/* The guest leaves its mode and enters @mode, with all that this needs. */
void modes_switch(struct modes *m, enum cpu_mode mode);
/* The guest writes an entry of 4 or 8 bytes. */
void modes_write_entry32(struct modes *m, gpa_t gpa, uint32_t value);
void modes_write_entry64(struct modes *m, gpa_t gpa, uint64_t value, bool at_once);
void modes_flush(struct modes *m);
/* A bit of CR4 is set and cleared; what this does to PDPTEs is the caller's. */
void modes_toggle_cr4(struct modes *m, uint32_t bit);
/* The CPU has loaded the PDPTEs, as it does at a CR3 write. */
void modes_load_pdptes(struct modes *m);
/* In 32-bit mode; flushes. modes_map_code_small() has made that possible. */
void modes_set_pse(struct modes *m, bool on);
/* Before the guest runs: in 32-bit mode its code is not mapped by a large page. */
void modes_map_code_small(struct modes *m);

/* A page as those of the data, with another number in it. */
void modes_fill_page(struct modes *m, gpa_t gpa, uint32_t number);

/* Runs the steps, none of which exits or faults. */
void __attribute__((format(printf, 2, 3)))
modes_run(struct modes *m, const char *what, ...);

/* The guest flushes by a CR3 write; false if that is a #GP. */
bool modes_try_flush(struct modes *m);

/*
 * Reads, writes and calls all that is tested, in the mode as it is, and compares.
 */
void __attribute__((format(printf, 2, 3)))
modes_check(struct modes *m, const char *what, ...);

#endif /* SELFTEST_KVM_GUEST_MODES_H */
