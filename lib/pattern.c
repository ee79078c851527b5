// SPDX-License-Identifier: GPL-2.0-only
/* Contents of guest memory that say where they come from. */
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "pattern.h"

#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(uint64_t))

/*
 * A guest may be reading and calling there: each word is stored once and whole,
 * so that the code is code at any time.
 */
void pattern_fill(void *hva, size_t size, struct pattern p)
{
	volatile uint64_t *words = hva;
	size_t page, word;

	for (page = 0; page < size / PAGE_SIZE; page++) {
		uint8_t code[8] = { 0xb8, 0, 0, 0, 0, 0xc3, 0xcc, 0xcc };
		uint32_t number = pattern_code(p, page);
		uint64_t code_word;

		memcpy(&code[1], &number, sizeof(number));
		memcpy(&code_word, code, sizeof(code_word));
		for (word = 0; word < WORDS_PER_PAGE; word++)
			*words++ = word == PATTERN_CODE_OFFSET / sizeof(code_word) ?
				   code_word : pattern_word(p, page, word);
	}
}

const char *pattern_describe(uint64_t value, char *buf, size_t size)
{
	if (!value)
		snprintf(buf, size, "zero");
	else if (value >> 48)
		snprintf(buf, size, "0x%lx (as a pattern: round %lu slot %lu page %lu word %lu)",
			 value, value >> 48, (value >> 32) & 0xffff,
			 (value >> 12) & 0xfffff, value & 0xfff);
	else
		snprintf(buf, size, "0x%lx", value);
	return buf;
}

void patterned_mem_alloc(struct patterned_mem *m,
			 enum vm_mem_backing_src_type type, size_t size,
			 uint64_t offset, struct pattern p)
{
	backing_mem_alloc(&m->mem, type, size, offset);
	m->want = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ERROR_ON(m->want == MAP_FAILED, "no memory for a copy of 0x%lx bytes",
		      size);
	patterned_mem_refill(m, p);
}

void patterned_mem_refill(struct patterned_mem *m, struct pattern p)
{
	m->pattern = p;
	pattern_fill(m->mem.hva, m->mem.size, p);
	pattern_fill(m->want, m->mem.size, p);
}

void patterned_mem_free(struct patterned_mem *m)
{
	munmap(m->want, m->mem.size);
	backing_mem_free(&m->mem);
}

void patterned_mem_wrote(struct patterned_mem *m, size_t offset, size_t len,
			 uint64_t value)
{
	memcpy((char *)m->want + offset, &value, len);
}

void patterned_mem_check(const struct patterned_mem *m, const char *when, ...)
{
	char text[160], got[128], want[128];
	const uint64_t *g = m->mem.hva, *w = m->want;
	size_t i;
	va_list ap;

	for (i = 0; i < m->mem.size / sizeof(*g); i++) {
		if (g[i] == w[i])
			continue;
		va_start(ap, when);
		vsnprintf(text, sizeof(text), when, ap);
		va_end(ap);
		TEST_FAIL("%s: memory of round %u slot %u (%s) has changed at page %zu offset 0x%zx: got %s, want %s",
			  text, m->pattern.round, m->pattern.slot,
			  vm_mem_backing_src_name(m->mem.type), i / WORDS_PER_PAGE,
			  i * sizeof(*g) % PAGE_SIZE,
			  pattern_describe(g[i], got, sizeof(got)),
			  pattern_describe(w[i], want, sizeof(want)));
	}
}
