/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DAMON, Linux's monitor of accesses: looks which of this process's pages were used
 * lately, by page tables and by KVM. Only one at a time may use it.
 */
#ifndef SELFTEST_KVM_DAMON_H
#define SELFTEST_KVM_DAMON_H

#include <stddef.h>

#define DAMON_SAMPLES	20U	/* looks for one answer; each at one page of a range */

struct damon_range {
	void *start;
	size_t size;
	unsigned int used;	/* in so many samples, some page was in use */
};

/* Before there is a VM; skips the case where DAMON is not to be had. */
void damon_prepare(void);
void damon_start(const struct damon_range *ranges, unsigned int n);
/* Waits for the next answer. Parts of a range may differ: the highest number counts. */
void damon_ask(struct damon_range *ranges, unsigned int n);

#endif /* SELFTEST_KVM_DAMON_H */
