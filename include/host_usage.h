/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel holds, of any kind: for tests that repeat something and must
 * find the host as full as before. A single leak is lost in what a host does all
 * the time; one for each repetition is not.
 */
#ifndef SELFTEST_KVM_HOST_USAGE_H
#define SELFTEST_KVM_HOST_USAGE_H

#include <stdint.h>

#define HOST_USAGE_MAX	1024

struct host_usage {
	unsigned int nr;
	struct {
		char name[40];		/* "mm_struct objects" */
		int64_t value;
	} item[HOST_USAGE_MAX];
};

/* Needs root, for the slab caches. What is freed by RCU is waited for. */
void host_usage_read(struct host_usage *u);
/* By name; 0 where it is not there. */
int64_t host_usage_value(const struct host_usage *u, const char *name);

/*
 * @fn does @n times what must not cost the kernel anything in the end. It must then
 * not hold an object or a page more for every other time; if it does, it is tried
 * again, for it may have been somebody else.
 */
void host_usage_expect_constant(unsigned int n, const char *what,
				void (*fn)(unsigned int n, void *arg), void *arg);

#endif /* SELFTEST_KVM_HOST_USAGE_H */
