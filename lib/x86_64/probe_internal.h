/* SPDX-License-Identifier: GPL-2.0-only */
/* What the two sides of a probe say to each other. */
#ifndef SELFTEST_KVM_LIB_PROBE_INTERNAL_H
#define SELFTEST_KVM_LIB_PROBE_INTERNAL_H

#include "probe.h"

enum {
	OP_READ = 1, OP_WRITE, OP_EXEC, OP_ADD, OP_LOCK_ADD, OP_READ_PAGES,
	OP_CHECK_PAGES, OP_WRITE_PAGES, OP_FLUSH, OP_HAMMER,
};

/* Without an order, where there are too few CPUs, a probe lets others have its own. */
#define PROBE_YIELD_PORT	((uint16_t)0x1001)

/* Orders and results. One writer per field, all accesses are volatile. */
struct probe_box {
	uint64_t ordered;	/* by the host: number of the last order */
	uint64_t op, gva, len, value;
	uint64_t finished;	/* by the guest */
	uint64_t result, vector, error_code;
	uint64_t first_code, last_code;

	uint64_t yields;	/* by the host: more threads than CPUs */
	uint64_t stop_hammer;
	uint64_t hold;
	uint64_t id;
	uint64_t held;		/* by the guest */
	uint64_t loops;
	uint64_t skipped;	/* checks that an update got in the way of */
	struct {
		uint64_t seen;	/* HAMMER_*; written last */
		uint64_t page, got, want, update;
	} bad;
	uint64_t out[PROBE_MAX_PAGES];
};

/* The guest code of a probe's vCPU. */
void guest_probe(volatile struct probe_box *box, volatile struct probe_world *world);

#endif /* SELFTEST_KVM_LIB_PROBE_INTERNAL_H */
