/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel memory that runs out: this process in a memory cgroup of its own, whose limit
 * is what it has, and some pages. Whatever KVM asks for beyond that, in its name, is
 * refused. So each allocation of a call can be made to fail, one after the other.
 *
 * It takes root, and cgroup v1's memory controller, which can do without killing.
 */
#ifndef SELFTEST_KVM_MEMORY_LIMIT_H
#define SELFTEST_KVM_MEMORY_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_LIMIT_PIPES	64

struct memory_limit {
	int root, dir;		/* of the hierarchy, and the cgroup's */
	int limit, usage;	/* files there */
	int pipe[MEMORY_LIMIT_PIPES];	/* to take less than a page */
};

/* Moves this process there; a host that cannot is a skip. */
void memory_limit_create(struct memory_limit *ml);
void memory_limit_free(struct memory_limit *ml);
/* For a child of this process, which is in its cgroup, too: all its memory is there. */
void memory_limit_lock_memory(void);

/*
 * Whether who wants more than there is, is told so (as it is at first), or one of those
 * in the cgroup is killed: the one that has most.
 */
void memory_limit_kills(struct memory_limit *ml, bool kills);

/*
 * From here to memory_limit_lift(), @pages more and not one beyond. What user space
 * touches for the first time counts, too, and is waited for without end.
 */
void memory_limit_set(struct memory_limit *ml, uint64_t pages);
void memory_limit_lift(struct memory_limit *ml);
/*
 * Waits until what has been freed is not the cgroup's any more: page tables and files are
 * freed late, and a call would find their memory to spare.
 */
void memory_limit_settle(struct memory_limit *ml);

/*
 * Calls @fn with nothing to spare, then with one page, two, ..., until it returns
 * something else than -1, and returns that. Each failure must be ENOMEM; @failed, if
 * there is one, then has all the memory that it wants.
 */
int with_more_and_more_memory(struct memory_limit *ml, const char *what,
			      int (*fn)(void *arg), void (*failed)(void *arg), void *arg);
/* The same in bigger steps, where it takes long to try again. */
int with_more_and_more_pages(struct memory_limit *ml, const char *what,
			     int (*fn)(void *arg), void (*failed)(void *arg), void *arg);

#endif /* SELFTEST_KVM_MEMORY_LIMIT_H */
