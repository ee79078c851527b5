/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contents for guest memory that say where they come from: each 64-bit word is
 * unique per round, slot, page and place in the page, and can be read by eye.
 * A page also holds a piece of code that returns a number of its own.
 */
#ifndef SELFTEST_KVM_PATTERN_H
#define SELFTEST_KVM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test_util.h"

/* Offset in each page of "mov $number, %eax; ret". */
#define PATTERN_CODE_OFFSET	0x800UL

/* Who wrote a piece of memory. No pattern has round 0, so zero is never one. */
struct pattern {
	uint16_t round;		/* 1 and up */
	uint16_t slot;
};

/* 0xRRRRSSSSPPPPPWWW: round, slot, page in the slot, word in the page */
static inline uint64_t pattern_word(struct pattern p, size_t page, size_t word)
{
	return (uint64_t)p.round << 48 | (uint64_t)p.slot << 32 | page << 12 | word;
}

/* What the code in @page returns. */
static inline uint32_t pattern_code(struct pattern p, size_t page)
{
	return (uint32_t)(p.round & 0xff) << 24 | (uint32_t)(p.slot & 0xff) << 16 |
	       (uint32_t)(page & 0xffff);
}

/* Fills whole pages; page 0 of the pattern is at @hva. */
void pattern_fill(void *hva, size_t size, struct pattern p);

/* "round 2 slot 5 page 3 word 0", "zero", ... */
const char *pattern_describe(uint64_t value, char *buf, size_t size);

/*
 * Guest memory and what it must hold: a second copy, changed by the host
 * whenever the guest was told to write. Every byte is compared.
 */
struct patterned_mem {
	struct backing_mem mem;
	struct pattern pattern;
	void *want;
};

/* Allocates as backing_mem_alloc() does and fills with the pattern. */
void patterned_mem_alloc(struct patterned_mem *m,
			 enum vm_mem_backing_src_type type, size_t size,
			 uint64_t offset, struct pattern p);
void patterned_mem_refill(struct patterned_mem *m, struct pattern p);
void patterned_mem_free(struct patterned_mem *m);
/* What the guest must read at the start of @page. */
static inline uint64_t patterned_mem_word0(const struct patterned_mem *m, size_t page)
{
	return *(const uint64_t *)((const char *)m->want + (page << 12));
}
/* The guest has written, or the host does. */
void patterned_mem_wrote(struct patterned_mem *m, size_t offset, size_t len,
			 uint64_t value);
/* Fails the case at the first byte that differs; @when says what was done. */
void __attribute__((format(printf, 2, 3)))
patterned_mem_check(const struct patterned_mem *m, const char *when, ...);

#endif /* SELFTEST_KVM_PATTERN_H */
