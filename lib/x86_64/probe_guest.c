// SPDX-License-Identifier: GPL-2.0-only
/* The guest's side of a probe: takes orders, or hammers; see probe.h. */
#include "pattern.h"
#include "probe_internal.h"

/* A fault here is a result; r11 is free once the first instruction is through. */
static uint64_t guest_probe_read(volatile struct probe_box *box, gva_t gva,
				 unsigned int len)
{
	uint64_t value = 0, ec = 0;

#define READ(suffix)							\
	kvm_asm_safe_ec("mov (%[gva]), %%r11" suffix "\n\t"		\
			"mov %%r11" suffix ", (%[out])", ec,		\
			[gva] "r"(gva), [out] "r"(&value))
	switch (len) {
	case 1: box->vector = READ("b"); break;
	case 2: box->vector = READ("w"); break;
	case 4: box->vector = READ("d"); break;
	default: box->vector = READ(""); break;
	}
#undef READ
	box->error_code = ec;
	return value;
}

static void guest_probe_write(volatile struct probe_box *box, gva_t gva,
			      unsigned int len, uint64_t value)
{
	uint64_t ec = 0;

#define WRITE(type)							\
	kvm_asm_safe_ec("mov %[v], (%[gva])", ec,			\
			[gva] "r"(gva), [v] "q"((type)value))
	switch (len) {
	case 1: box->vector = WRITE(uint8_t); break;
	case 2: box->vector = WRITE(uint16_t); break;
	case 4: box->vector = WRITE(uint32_t); break;
	default: box->vector = WRITE(uint64_t); break;
	}
#undef WRITE
	box->error_code = ec;
}

/* RBX has the return address for return_from_call(). */
static uint32_t guest_probe_call(gva_t gva)
{
	uint32_t number;

	asm volatile("lea 1f(%%rip), %%rbx\n\t"
		     "call *%1\n"
		     "1:" : "=a"(number) : "r"(gva) : "rbx", "memory", "cc");
	return number;
}

static void guest_bad(volatile struct probe_box *box, uint64_t op, uint64_t page,
		      uint64_t got, uint64_t want, uint64_t update)
{
	if (box->bad.seen)
		return;
	box->bad.page = page;
	box->bad.got = got;
	box->bad.want = want;
	box->bad.update = update;
	box->bad.seen = op;
}

/*
 * Each check reads the count of finished updates first, and that of begun
 * updates last: when they are equal, the world did not change in between.
 */
static void guest_hammer_page(volatile struct probe_box *box,
			      volatile struct probe_world *w, uint64_t what,
			      uint64_t i, uint64_t stamp)
{
	volatile struct probe_page *page = &w->page[i];
	gva_t gva = w->gva + i * PAGE_SIZE;
	size_t cell = (8 + box->id) * 64;
	uint64_t update, want, got, kind;

	if (what & HAMMER_READ) {
		update = w->done;
		want = page->word0;
		got = guest_read64(gva);
		if (update != w->begun)
			box->skipped++;
		else if (got != want)
			guest_bad(box, HAMMER_READ, i, got, want, update);
	}
	if (what & HAMMER_WRITE) {
		update = w->done;
		kind = page->kind;
		guest_write64(gva + cell, stamp);
		got = guest_read64(gva + cell);
		want = kind == PAGE_IS_GAP ?
		       probe_gap_value(w->gpa + i * PAGE_SIZE + cell) : stamp;
		if (update != w->begun)
			box->skipped++;
		else if ((got == want) == (kind == PAGE_IS_READONLY))
			guest_bad(box, HAMMER_WRITE, i, got, want, update);
	}
	if (what & HAMMER_EXEC) {
		update = w->done;
		want = page->code;
		got = guest_probe_call(gva + PATTERN_CODE_OFFSET);
		if (update != w->begun)
			box->skipped++;
		else if (got != want)
			guest_bad(box, HAMMER_EXEC, i, got, want, update);
	}
}

static void guest_hold(volatile struct probe_box *box)
{
	box->held = 1;
	while (box->hold)
		cpu_relax();
	box->held = 0;
}

static void guest_hammer(volatile struct probe_box *box,
			 volatile struct probe_world *w, uint64_t what)
{
	uint64_t i;

	while (!box->stop_hammer) {
		for (i = 0; i < w->nr_pages && !box->stop_hammer; i++) {
			if (box->hold)
				guest_hold(box);
			guest_hammer_page(box, w, what, i,
					  (0xff00 + box->id) << 48 | (box->loops + 1));
			/* On an emulated host, the other CPU's turn. */
			cpu_relax();
		}
		box->loops++;
	}
}

static void guest_wait_for_order(volatile struct probe_box *box)
{
	unsigned int spins;

	for (spins = 1; box->ordered == box->finished; spins++) {
		cpu_relax();
		if (box->yields && !(spins % 64))
			asm volatile("outb %%al, %w0" : : "d"(PROBE_YIELD_PORT));
	}
}

void guest_probe(volatile struct probe_box *box, volatile struct probe_world *world)
{
	uint64_t i;

	for (;;) {
		guest_wait_for_order(box);
		box->vector = 0;
		switch (box->op) {
		case OP_READ:
			box->result = guest_probe_read(box, box->gva, box->len);
			break;
		case OP_WRITE:
			guest_probe_write(box, box->gva, box->len, box->value);
			break;
		case OP_EXEC:
			box->result = guest_probe_call(box->gva);
			break;
		case OP_ADD:
			asm volatile("add %1, (%0)" : : "r"(box->gva),
				     "r"(box->value) : "memory", "cc");
			break;
		case OP_LOCK_ADD:
			asm volatile("lock add %1, (%0)" : : "r"(box->gva),
				     "r"(box->value) : "memory", "cc");
			break;
		case OP_READ_PAGES:
			for (i = 0; i < box->len; i++)
				box->out[i] = guest_read64(box->gva + i * box->value);
			break;
		case OP_CHECK_PAGES:
			for (i = 0; i < box->len; i++)
				box->out[i] = guest_read64(box->gva + i * PAGE_SIZE);
			box->first_code = guest_probe_call(box->gva + box->value);
			box->last_code = guest_probe_call(box->gva + box->value +
							  (i - 1) * PAGE_SIZE);
			break;
		case OP_WRITE_PAGES:
			for (i = 0; i < box->len; i++)
				guest_write64(box->gva + i * PAGE_SIZE, box->value + i);
			break;
		case OP_FLUSH:
			write_cr3(read_cr3());
			break;
		case OP_HAMMER:
			guest_hammer(box, world, box->value);
			break;
		}
		box->finished = box->ordered;
	}
}
