// SPDX-License-Identifier: GPL-2.0-only
/*
 * String instructions from, to and between gaps.
 *
 * Each element is an access of its own, and exits if it lies in a gap, for the
 * part of it that does; one that exits in the middle goes on with the next one.
 * Registers, flags, memory, and what went through a port, are what they are on
 * RAM, wherever REP ends, forwards and backwards, across the ends of pages and
 * between memslot and gap.
 *
 * Bugs of this class: an element left out or done twice, a gpa of the first page
 * used for the second one, a count or a pointer that is wrong where the string
 * was interrupted, data of a port that were read ahead and forgotten.
 */
#include "insn_twin.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(mmio_string_test);

#define STRING_MOVE(op, flags)						\
	TWIN_EACH_SIZE(string, flags, 0, "", op, "");			\
	TWIN_EACH_SIZE(string, flags, 0, "rep ", op, "")
#define STRING_COMPARE(op, flags)					\
	TWIN_EACH_SIZE(string, flags, 0, "", op, "");			\
	TWIN_EACH_SIZE(string, flags, 0, "repe ", op, "");			\
	TWIN_EACH_SIZE(string, flags, 0, "repne ", op, "")

STRING_MOVE("movs", TWIN_FROM_RSI | TWIN_WRITES);
STRING_MOVE("stos", TWIN_WRITES);
STRING_MOVE("lods", TWIN_FROM_RSI);
STRING_COMPARE("cmps", TWIN_FROM_RSI | TWIN_READS);
STRING_COMPARE("scas", TWIN_READS);

#define STRING_PORT(op, flags)						\
	TWIN_INSN(port, 1, flags, 0, op "b");				\
	TWIN_INSN(port, 2, flags, 0, op "w");				\
	TWIN_INSN(port, 4, flags, 0, op "l")

STRING_PORT("ins", TWIN_WRITES);
STRING_PORT("rep ins", TWIN_WRITES);
STRING_PORT("outs", TWIN_FROM_RSI);
STRING_PORT("rep outs", TWIN_FROM_RSI);

TWIN_GROUP(string);
TWIN_GROUP(port);

enum place { IN_RAM, IN_GAP, GAP_TO_RAM, RAM_TO_GAP, NR_PLACES };

static const char *const place_names[] = {
	"RAM", "gap", "gap into RAM", "RAM into gap",
};

/* Where the middle of a string is; two strings never touch. */
static gva_t place_gva(gva_t gap, enum place place, bool is_source)
{
	switch (place) {
	case IN_RAM:
		return TWIN_RAM_GVA + (is_source ? 4 : 8) * PAGE_SIZE;
	case IN_GAP:
		return gap + (is_source ? 1 : 3) * PAGE_SIZE;
	case GAP_TO_RAM:
		return TWIN_RAM_GVA;
	default:
		return TWIN_TAIL_GVA;
	}
}

struct string {
	enum place src, dst;
	unsigned int count;
	unsigned int shift;	/* against the page's end, so that elements cross it */
	bool backwards;
};

/* Makes CMPS and SCAS find what they look for behind some elements. */
static void plant(struct twin *t, struct twin_op *op, gva_t src, gva_t dst,
		  int64_t move, unsigned int count)
{
	const bool equal = strstr(op->insn->text, "repe");
	const unsigned int len = op->insn->len, stop = test_random() % (count + 2);
	uint64_t value, other;
	unsigned int i;

	for (i = 0; i < count; i++, src += move, dst += move) {
		value = op->regs.rax;
		if (op->insn->flags & TWIN_FROM_RSI)
			memcpy(&value, twin_mem(t, src), len);
		other = ~value;
		twin_mem_write(t, dst, equal == (i != stop) ? &value : &other, len);
	}
}

/* All that one exit for the port has brought is written in one go. */
static void access_ins(struct twin_op *op, gva_t gva, unsigned int count)
{
	unsigned int n, len = op->insn->len;

	for (; count; count -= n, gva += n * len) {
		n = PAGE_SIZE - gva % PAGE_SIZE;
		if (n > count)
			n = count;
		twin_op_access(op, gva, n * len, true);
	}
}

static void exec_string(struct twin *t, const struct twin_insn *insn, gva_t gap,
			const struct string *s)
{
	const unsigned int len = insn->len;
	const bool rep = !strncmp(insn->text, "rep", 3);
	const int64_t move = s->backwards ? -(int64_t)len : len;
	gva_t src = place_gva(gap, s->src, true) - s->shift;
	gva_t dst = place_gva(gap, s->dst, false) - s->shift;
	static struct twin_op op;
	struct kvm_regs regs;
	unsigned int i, n;

	/* The page's end is in the middle. */
	src -= move * (s->count / 2);
	dst -= move * (s->count / 2);
	twin_op_init(t, &op, insn, dst);
	op.regs.rsi = src;
	op.regs.rcx = s->count;
	op.regs.rdx = (op.regs.rdx & ~0xffffUL) | TWIN_DATA_PORT;
	if (s->backwards)
		op.regs.rflags |= TWIN_DF;
	if (insn->flags & TWIN_READS)
		plant(t, &op, src, dst, move, s->count);
	test_step("\"%s\", %u times %s, from gva 0x%lx (%s) to gva 0x%lx (%s)",
		  insn->text, rep ? s->count : 1, s->backwards ? "backwards" : "forwards",
		  src, place_names[s->src], dst, place_names[s->dst]);

	twin_exec_on_ram(t, &op);
	vcpu_regs_get(t->vcpu[TWIN_ON_RAM], &regs);
	n = rep ? s->count - regs.rcx : 1;
	if (strstr(insn->text, "rep ins") && !s->backwards) {
		access_ins(&op, dst, n);
		n = 0;
	}
	for (i = 0; i < n; i++, src += move, dst += move) {
		if (insn->flags & TWIN_FROM_RSI)
			twin_op_access(&op, src, len, false);
		if (insn->flags & TWIN_RMW)
			twin_op_access(&op, dst, len, insn->flags & TWIN_WRITES);
	}
	twin_exec_on_gap(t, &op);
}

/* Backwards, KVM forgets what it has read ahead when a write exits. */
static bool loses_port_data(const struct twin_insn *insn, const struct string *s)
{
	return s->backwards && s->dst != IN_RAM && strstr(insn->text, "rep ins");
}

static void string_everywhere(struct twin *t, const struct twin_insn *insn,
			      bool all)
{
	const bool source = insn->flags & TWIN_FROM_RSI;
	const bool dest = insn->flags & TWIN_RMW;
	struct string s = {};
	gva_t gap;

	gap = twin_fresh_pages(t, 4);
	for (s.src = IN_RAM; s.src < (source ? NR_PLACES : 1); s.src++) {
		for (s.dst = IN_RAM; s.dst < (dest ? NR_PLACES : 1); s.dst++) {
			if ((s.src == IN_RAM && s.dst == IN_RAM) ||
			    (s.src == s.dst && s.src != IN_GAP))
				continue;
			s.shift = test_random() % insn->len;
			s.count = 5 + test_random() % 3;
			s.backwards = !s.backwards;
			if (all || !loses_port_data(insn, &s))
				exec_string(t, insn, gap, &s);
		}
	}
	s = (struct string){ .src = IN_GAP, .dst = IN_GAP };
	exec_string(t, insn, gap, &s);
	s.count = 1;
	exec_string(t, insn, gap, &s);
}

KVM_TEST(strings_across_every_border)
{
	const struct twin_insn *insn;
	struct twin t;

	twin_create(&t);
	for_each_twin_insn(insn, string)
		string_everywhere(&t, insn, true);
	twin_free(&t);
}

/* On RAM, too, KVM does these; from and to the port goes what memory holds. */
KVM_TEST(strings_through_a_port)
{
	const bool all = twin_unfixed("loses what REP INS read ahead, backwards into a gap");
	const struct twin_insn *insn;
	struct twin t;

	twin_create(&t);
	for_each_twin_insn(insn, port)
		string_everywhere(&t, insn, all);
	twin_free(&t);
}

/* Whoever reads the registers at an exit sees how far it is, and changes nothing. */
KVM_TEST(strings_looked_at_at_each_exit)
{
	const struct twin_insn *insn;
	struct twin t;

	twin_create(&t);
	t.read_regs = true;
	for_each_twin_insn(insn, string)
		string_everywhere(&t, insn, true);
	twin_free(&t);
}

static void exec_once(struct twin *t, const struct twin_insn *insn, gva_t src, gva_t dst)
{
	static struct twin_op op;

	twin_op_init(t, &op, insn, dst);
	op.regs.rsi = src;
	op.regs.rcx = 1;
	op.regs.rdx = (op.regs.rdx & ~0xffffUL) | TWIN_DATA_PORT;
	if (insn->flags & TWIN_FROM_RSI)
		twin_op_access(&op, src, insn->len, false);
	if (insn->flags & TWIN_RMW)
		twin_op_access(&op, dst, insn->len, insn->flags & TWIN_WRITES);
	test_step("\"%s\" from gva 0x%lx to gva 0x%lx", insn->text, src, dst);
	twin_exec(t, &op);
}

/*
 * KVM does these for the sake of the port: no fault has told it a gpa, but one of an
 * instruction before has, at the same place in its page.
 */
KVM_TEST(port_strings_in_ram_after_a_gap)
{
	const struct twin_insn *first, *insn;
	gva_t gap, at, ram;
	struct twin t;

	twin_create(&t);
	gap = twin_fresh_pages(&t, 4);
	for_each_twin_insn(insn, port) {
		for_each_twin_insn(first, string) {
			at = test_random() % (PAGE_SIZE - 16);
			ram = TWIN_RAM_GVA + (3 + test_random() % 8) * PAGE_SIZE + at;
			exec_once(&t, first, gap + PAGE_SIZE + at, gap + 3 * PAGE_SIZE + at);
			exec_once(&t, insn, ram, ram);
		}
	}
	twin_free(&t);
}

KVM_TEST_MAIN()
