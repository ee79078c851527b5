/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that edits its page tables, flushes, and accesses memory through them
 * in an order that the host gives; and a model of the CPU's paging, which says
 * for each access what must come: data, or a #PF with its error code and CR2.
 *
 * Page tables and data are pages of one piece of memory, the pool; the model has a
 * copy of it and follows every write, with the accessed and dirty bits. It also knows
 * which translations may be stale, and has no access made through these.
 */
#ifndef SELFTEST_KVM_GUEST_PAGING_H
#define SELFTEST_KVM_GUEST_PAGING_H

#include "processor.h"

/* The pool: data pages, which a 2M leaf can map at once, and then tables. */
#define POOL_DATA_SLOT		1
#define POOL_TABLES_SLOT	2
#define POOL_GPA		0x40000000UL
#define POOL_DATA_PAGES		512
#define POOL_TABLE_PAGES	80
#define POOL_PAGES		(POOL_DATA_PAGES + POOL_TABLE_PAGES)
#define POOL_TABLES_GPA		(POOL_GPA + POOL_DATA_PAGES * PAGE_SIZE)
/* Where guests have it mapped, for the kernel alone and for ever. */
#define POOL_GVA		0x500000000000UL

/* No memslot is there: a page table entry may lead to it. */
#define PAGING_GAP_GPA		0xe0000000UL

/* In each data page: a number of its own, and code that returns it. */
#define DATA_WORD_OFFSET	0xf00UL
#define DATA_CODE_OFFSET	0x800UL

#define PAGING_MAX_CPUS		2
#define PAGING_MAX_CONTEXTS	4	/* PCIDs in use: 0 to 3 */
#define PAGING_MAX_WATCHED	640
#define PAGING_MAX_STEPS	256

/* A gva by its index in each of the four tables, of which none should be 0. */
#define PAGING_GVA(l4, l3, l2, l1)					\
	((gva_t)(l4) << 39 | (gva_t)(l3) << 30 | (gva_t)(l2) << 21 |	\
	 (gva_t)(l1) << 12)

#define PTE_RW			(PTE_PRESENT_MASK | PTE_WRITABLE_MASK)
#define PTE_RWU			(PTE_RW | PTE_USER_MASK)

enum paging_op {
	/* Accesses, by CPL 0 or CPL 3. */
	PAGING_READ,
	PAGING_WRITE,
	PAGING_EXEC,
	PAGING_MOVS,		/* from a gap to memory: KVM writes */
	PAGING_OUTS,		/* KVM reads, on AMD at least */
	/* The rest is the kernel's. */
	PAGING_WRITE32,
	PAGING_WRITE8,
	PAGING_XCHG,
	PAGING_XCHG32,		/* by parts, as the writes above */
	PAGING_XCHG16,
	PAGING_XCHG8,
	PAGING_WRITE_ACROSS,	/* 8 bytes, half of them the next entry's */
	PAGING_INVLPG,
	PAGING_SET_CR0,
	PAGING_SET_CR3,
	PAGING_SET_CR4,
	PAGING_SET_EFER,
	PAGING_SET_PKRU,
	PAGING_INVPCID,
};

/* In guest memory. */
struct paging_step {
	uint64_t op, gva, value, user, ac, may_retry;
	uint64_t got, vector, error_code, cr2;	/* by the guest */
};

struct paging_box {
	uint64_t nr, current;
	uint64_t gap_gva[2];			/* for the kernel, for the user */
	struct paging_step step[PAGING_MAX_STEPS];
};

/* The guest's code. */
void guest_paging(struct paging_box *box);

/* A walk of the model. */
struct paging_walk {
	gpa_t entry[PG_LEVEL_256T + 1];		/* gpa of the entry of each level */
	uint64_t value[PG_LEVEL_256T + 1];
	int first;			/* level of the root */
	int last;			/* level of the leaf, or where it ends */
	bool present, reserved;
	bool writable, user, nx;
	unsigned int pkey;
	gpa_t gpa;			/* when it is present and not reserved */
};

struct paging_want {
	uint64_t vector, error_code, value;
	bool has_value, mmio;
	gpa_t gpa;
	struct paging_walk walk;
	uint64_t cr0, cr4, efer, pkru;
};

struct paging_cpu {
	struct paging *p;
	struct kvm_vcpu *vcpu;
	struct paging_box *box;
	uint64_t cr0, cr3, cr4, efer, pkru;
	gpa_t root[PAGING_MAX_CONTEXTS];	/* by PCID; 0: not used */
	/* By PCID and gva: a cached translation may be wrong, or too strict. */
	bool stale[PAGING_MAX_CONTEXTS][PAGING_MAX_WATCHED];
	bool strict[PAGING_MAX_CONTEXTS][PAGING_MAX_WATCHED];
	struct paging_want want[PAGING_MAX_STEPS];
	char what[128];				/* of the last paging_run() */
};

struct paging {
	struct kvm_vm *vm;
	struct backing_mem mem;
	char *model;
	bool data_is_gap;
	bool tables_readonly;
	bool tdp, gbpages;			/* KVM's, the guest CPU's */
	struct paging_cpu cpu[PAGING_MAX_CPUS];
	unsigned int nr_cpus;
	gpa_t root;			/* all CPUs' at the start */
	unsigned int nr_tables;		/* taken of the pool */
	gva_t watched[PAGING_MAX_WATCHED];
	unsigned int nr_watched;
	/* Entries in tables whose dirty bit KVM may owe, see paging_predict(). */
	bool may_be_clean[POOL_TABLE_PAGES * PAGE_SIZE / 8];
};

void paging_create(struct paging *p, unsigned int nr_cpus);
/* Compares all of the pool with the model, and frees. */
void paging_free(struct paging *p);

/* ---- tables, by the host, before a guest uses them ---- */

/* A table, empty; a root, which has the kernel's entries. */
gpa_t paging_new_table(struct paging *p);
gpa_t paging_new_root(struct paging *p);
static inline gpa_t pool_data(unsigned int page)
{
	return POOL_GPA + page * PAGE_SIZE;
}

/* Writes 8 bytes of the pool, past KVM. */
void paging_poke(struct paging *p, gpa_t gpa, uint64_t value);
uint64_t paging_peek(struct paging *p, gpa_t gpa);
/* What these 8 bytes will be after the orders that were given. */
uint64_t paging_model(struct paging *p, gpa_t gpa);

/*
 * Maps a page at @gva with a leaf @entry of @level, and watches @gva. Tables
 * that are missing get @upper as their flags. Returns the leaf's gpa.
 */
gpa_t paging_map(struct paging *p, gpa_t root, gva_t gva, int level,
		 uint64_t entry, uint64_t upper);
/* Has the data pages in a memslot, as they are at first, or in none. */
void paging_set_data_slot(struct paging *p, bool there);
/* Has the tables in a read-only memslot, for good: no accessed and dirty bits. */
void paging_set_tables_readonly(struct paging *p);
/* The gva will be accessed. */
void paging_watch(struct paging *p, gva_t gva);
/* The gpa of the entry of @level on the way to @gva; the way must lead there. */
gpa_t paging_entry(struct paging *p, gpa_t root, gva_t gva, int level);
void paging_walk(struct paging_cpu *cpu, gpa_t root, gva_t gva,
		 struct paging_walk *w);

/* ---- orders: collected until paging_run() ---- */

/* False, and nothing is done, where the architecture allows a stale answer. */
bool paging_try(struct paging_cpu *cpu, enum paging_op op, gva_t gva, bool user,
		bool ac);
/* The architecture must not allow one. */
void paging_access(struct paging_cpu *cpu, enum paging_op op, gva_t gva, bool user);
/* The kernel writes this, if no stale answer is allowed. */
bool paging_try_store(struct paging_cpu *cpu, gva_t gva, uint64_t value);

/* A read, write or fetch, by CPL 0 or 3, drawn at random; of each watched gva. */
void paging_try_any(struct paging_cpu *cpu, gva_t gva);
void paging_try_all(struct paging_cpu *cpu);
/* An entry for a page of RAM or of a gap, or for none, with any rights. */
uint64_t paging_random_pte(void);

/* The guest writes a word of the pool through its own mapping of it. */
void paging_write(struct paging_cpu *cpu, gpa_t gpa, uint64_t value);
/* As above, in one of the other ways to write 8 bytes. */
void paging_write_by(struct paging_cpu *cpu, enum paging_op op, gpa_t gpa,
		     uint64_t value);

/*
 * One store to the upper half of the entry at @gpa and the lower half of the next
 * one: to @value's upper half, and to @next's lower half.
 */
void paging_write_across(struct paging_cpu *cpu, gpa_t gpa, uint64_t value,
			 uint64_t next);

void paging_invlpg(struct paging_cpu *cpu, gva_t gva);
/* @cr3 is all that is written, with PCID and NOFLUSH where CR4.PCIDE is set. */
void paging_set_cr3(struct paging_cpu *cpu, uint64_t cr3);
static inline void paging_flush(struct paging_cpu *cpu)
{
	paging_set_cr3(cpu, cpu->cr3);
}
void paging_set_wp(struct paging_cpu *cpu, bool on);
void paging_set_nx(struct paging_cpu *cpu, bool on);	/* and flushes */
void paging_set_cr4(struct paging_cpu *cpu, uint64_t bits, bool on);
/* CR4.PGE, on and off again. */
void paging_flush_by_pge(struct paging_cpu *cpu);
void paging_set_pkru(struct paging_cpu *cpu, uint32_t pkru);	/* CR4.PKE is set */
/*
 * User space sets these instead of the guest, at once and together, while no order is
 * pending. It flushes.
 */
struct paging_registers {
	uint64_t cr0, cr3, cr4, efer;
};
void paging_set_by_host(struct paging_cpu *cpu, const struct paging_registers *r);
/* Types 0: @gva of @pcid, 1: @pcid, 2 and 3: all. */
void paging_invpcid(struct paging_cpu *cpu, unsigned int type, unsigned int pcid,
		    gva_t gva);

/* Has the guest do it and compares each step; the text is part of failures. */
void __attribute__((format(printf, 2, 3)))
paging_run(struct paging_cpu *cpu, const char *what, ...);

/*
 * Every byte of the pool is as the model says. Accessed bits: those that must be
 * set are, but a CPU may set more, ahead of time.
 */
void paging_check_pool(struct paging *p, const char *when);

#endif /* SELFTEST_KVM_GUEST_PAGING_H */
