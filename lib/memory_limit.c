// SPDX-License-Identifier: GPL-2.0-only
/* Kernel memory that runs out, see include/memory_limit.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory_limit.h"
#include "test_internal.h"

#define CGROUP		"kvm-selftest"
#define MOST_PAGES	2048		/* that a call may need */

/* Mounted for this process's fd only. */
static int open_hierarchy(void)
{
	char dir[] = "/tmp/kvm-selftest-XXXXXX";
	int fd = -1;

	if (!mkdtemp(dir))
		return -1;
	if (!mount("none", dir, "cgroup", 0, "memory")) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		umount2(dir, MNT_DETACH);
	}
	rmdir(dir);
	return fd;
}

static int open_file(int dir, const char *file, int flags)
{
	int fd = openat(dir, file, flags | O_CLOEXEC);

	TEST_ERROR_ON(fd < 0, "%s of a memory cgroup: %s", file, strerror(errno));
	return fd;
}

/* Returns 0, or -1 with errno set. */
static int put(int fd, const char *value)
{
	return pwrite(fd, value, strlen(value), 0) < 0 ? -1 : 0;
}

static void join(int dir)
{
	int fd = open_file(dir, "cgroup.procs", O_WRONLY);

	TEST_ERROR_ON(put(fd, "0"), "cgroup.procs: %s", strerror(errno));
	close(fd);
}

static uint64_t usage(struct memory_limit *ml)
{
	char text[32] = "";

	TEST_ERROR_ON(pread(ml->usage, text, sizeof(text) - 1, 0) <= 0, "memory.usage: %s",
		      strerror(errno));
	return strtoull(text, NULL, 0);
}

void memory_limit_lock_memory(void)
{
	TEST_ERROR_ON(mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall: %s", strerror(errno));
}

void memory_limit_kills(struct memory_limit *ml, bool kills)
{
	int oom = open_file(ml->dir, "memory.oom_control", O_WRONLY);

	TEST_ERROR_ON(put(oom, kills ? "0" : "1"), "memory.oom_control: %s", strerror(errno));
	close(oom);
}

/* Of a case that failed, or was killed. */
static void remove_cgroup(const void *arg)
{
	int root = open_hierarchy();

	(void)arg;
	if (root >= 0)
		unlinkat(root, CGROUP, AT_REMOVEDIR);
}

void memory_limit_create(struct memory_limit *ml)
{
	ml->root = open_hierarchy();
	__TEST_REQUIRE(ml->root >= 0,
		       "needs root and the memory controller of cgroup v1: %s", strerror(errno));
	when_case_is_gone(remove_cgroup, NULL);
	mkdirat(ml->root, CGROUP, 0700);
	ml->dir = open_file(ml->root, CGROUP, O_RDONLY | O_DIRECTORY);
	/* An open file is memory, too: these are for when there is none. */
	ml->limit = open_file(ml->dir, "memory.limit_in_bytes", O_WRONLY);
	ml->usage = open_file(ml->dir, "memory.usage_in_bytes", O_RDONLY);
	memory_limit_lift(ml);
	memory_limit_kills(ml, false);
	/* Each CPU keeps some pages of a cgroup ready. */
	stay_on_this_cpu();
	join(ml->dir);
	usage(ml);
	memory_limit_lock_memory();
	case_context.report->short_of_memory = true;
}

void memory_limit_free(struct memory_limit *ml)
{
	munlockall();
	join(ml->root);
	close(ml->limit);
	close(ml->usage);
	close(ml->dir);
	unlinkat(ml->root, CGROUP, AT_REMOVEDIR);
	close(ml->root);
}

void memory_limit_set(struct memory_limit *ml, uint64_t pages)
{
	char limit[32];

	/* Refused, and yet what the CPU keeps ready for the cgroup is given back. */
	put(ml->limit, "0");
	snprintf(limit, sizeof(limit), "%lu", usage(ml) + pages * PAGE_SIZE);
	TEST_ERROR_ON(put(ml->limit, limit), "limit of %s bytes: %s", limit, strerror(errno));
}

void memory_limit_lift(struct memory_limit *ml)
{
	TEST_ERROR_ON(put(ml->limit, "-1"), "no limit: %s", strerror(errno));
}

/*
 * An open file takes less than a page: so many first, and KVM has that much less of
 * the page that small things are made in.
 */
#define MOST_FILES	16

static void open_files(int fd[MOST_FILES], unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < MOST_FILES; i++)
		fd[i] = i < nr ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
}

static void close_files(int fd[MOST_FILES])
{
	unsigned int i;

	for (i = 0; i < MOST_FILES; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
}

/* A page is given in small pieces where that is all that may be needed. */
#define PIECEMEAL_PAGES	3

struct budget {
	unsigned int pages, files;
};

static struct budget next_budget(struct budget b, bool piecemeal)
{
	if (piecemeal && b.files && b.pages <= PIECEMEAL_PAGES)
		return (struct budget){ b.pages, b.files - 1 };
	b.pages++;
	b.files = piecemeal && b.pages <= PIECEMEAL_PAGES ? MOST_FILES : b.pages * 7 % (MOST_FILES + 1);
	return b;
}

static int with_memory(struct memory_limit *ml, const char *what, bool piecemeal,
		       int (*fn)(void *arg), void (*failed)(void *arg), void *arg)
{
	int ret, err, fd[MOST_FILES];
	struct budget b = {};
	unsigned int nr = 0;

	for (; b.pages < MOST_PAGES; b = next_budget(b, piecemeal), nr++) {
		test_step("%s, with %u pages less %u open files to spare", what, b.pages, b.files);
		memory_limit_set(ml, b.pages);
		open_files(fd, b.files);
		ret = fn(arg);
		err = errno;
		memory_limit_lift(ml);
		close_files(fd);
		if (ret != -1)
			break;
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, err == ENOMEM,
				   "%s: want errno %d (%s), got %d (%s)", what, ENOMEM,
				   strerror(ENOMEM), err, strerror(err));
		if (failed)
			failed(arg);
	}
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, b.pages < MOST_PAGES, "%s: no memory is enough", what);
	pr_info("%s: failed %u times", what, nr);
	return ret;
}

int with_more_and_more_memory(struct memory_limit *ml, const char *what,
			      int (*fn)(void *arg), void (*failed)(void *arg), void *arg)
{
	return with_memory(ml, what, true, fn, failed, arg);
}

int with_more_and_more_pages(struct memory_limit *ml, const char *what,
			     int (*fn)(void *arg), void (*failed)(void *arg), void *arg)
{
	return with_memory(ml, what, false, fn, failed, arg);
}
