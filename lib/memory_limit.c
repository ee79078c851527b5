// SPDX-License-Identifier: GPL-2.0-only
/* Kernel memory that runs out, see include/memory_limit.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

/*
 * What takes less than a page: so much first, and KVM has that much less of the page that
 * small things are made in. It is a pipe's array that is made longer, since that is given
 * back at once, as an open file is not. Four of them make a piece, of 512 bytes.
 */
#define PIPES_PER_PIECE	4
#define PIECES_PER_PAGE	8
#define MOST_PIECES	(MEMORY_LIMIT_PIPES / PIPES_PER_PIECE)
#define SHORT_PIPE	PAGE_SIZE
#define LONG_PIPE	(4 * PAGE_SIZE)

static void open_pipes(struct memory_limit *ml)
{
	unsigned int i;
	int fd[2];

	for (i = 0; i < MEMORY_LIMIT_PIPES; i++) {
		TEST_ERROR_ON(pipe2(fd, O_CLOEXEC), "pipe: %s", strerror(errno));
		TEST_ERROR_ON(fcntl(fd[0], F_SETPIPE_SZ, SHORT_PIPE) < 0, "a pipe's size: %s",
			      strerror(errno));
		close(fd[1]);
		ml->pipe[i] = fd[0];
	}
}

static void close_pipes(struct memory_limit *ml)
{
	unsigned int i;

	for (i = 0; i < MEMORY_LIMIT_PIPES; i++)
		close(ml->pipe[i]);
}

/* Returns how many there was memory for. */
static unsigned int take_pieces(struct memory_limit *ml, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr * PIPES_PER_PIECE; i++) {
		if (fcntl(ml->pipe[i], F_SETPIPE_SZ, LONG_PIPE) < 0)
			break;
	}
	return (i + PIPES_PER_PIECE - 1) / PIPES_PER_PIECE;
}

static void give_pieces_back(struct memory_limit *ml, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr * PIPES_PER_PIECE; i++)
		fcntl(ml->pipe[i], F_SETPIPE_SZ, SHORT_PIPE);
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
	open_pipes(ml);
	memory_limit_lock_memory();
	case_context.report->short_of_memory = true;
}

void memory_limit_free(struct memory_limit *ml)
{
	munlockall();
	join(ml->root);
	close_pipes(ml);
	close(ml->limit);
	close(ml->usage);
	close(ml->dir);
	unlinkat(ml->root, CGROUP, AT_REMOVEDIR);
	close(ml->root);
}

/* Refused, and yet what CPUs keep ready for the cgroup is given back: here at once. */
static void give_ready_pages_back(struct memory_limit *ml)
{
	put(ml->limit, "0");
}

/*
 * CPUs give back what they have to some time after a grace period of RCU. A wait for one
 * may be behind all that is in this CPU's queue, but not behind what is in the others', of
 * what KVM's own threads have zapped, nor before the ready pages of the others are back.
 */
#define SETTLED		2
#define MOST_WAITS	16
#define WAIT_US		4000

void memory_limit_settle(struct memory_limit *ml)
{
	unsigned int waits, same = 0;
	uint64_t before = 0, now;

	for (waits = 0; same < SETTLED && waits < MOST_WAITS; waits++) {
		give_ready_pages_back(ml);
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		usleep(WAIT_US);
		now = usage(ml);
		same = now == before ? same + 1 : 1;
		before = now;
	}
}

void memory_limit_set(struct memory_limit *ml, uint64_t pages)
{
	char limit[32];

	give_ready_pages_back(ml);
	snprintf(limit, sizeof(limit), "%lu", usage(ml) + pages * PAGE_SIZE);
	TEST_ERROR_ON(put(ml->limit, limit), "limit of %s bytes: %s", limit, strerror(errno));
}

void memory_limit_lift(struct memory_limit *ml)
{
	TEST_ERROR_ON(put(ml->limit, "-1"), "no limit: %s", strerror(errno));
}

/* A page is given in small pieces where that is all that may be needed. */
#define PIECEMEAL_PAGES	3

struct budget {
	unsigned int pages, pieces;
};

/*
 * Of the first page, and of what was left of another one before, as many pieces are taken
 * as there are; from there on it is one less each time.
 */
static struct budget next_budget(struct budget b, bool piecemeal)
{
	if (piecemeal && b.pieces && b.pages <= PIECEMEAL_PAGES)
		return (struct budget){ b.pages, b.pieces - 1 };
	b.pages++;
	if (!piecemeal || b.pages > PIECEMEAL_PAGES)
		b.pieces = b.pages * 7 % (PIECES_PER_PAGE + 1);
	else
		b.pieces = b.pages > 1 ? PIECES_PER_PAGE - 1 : MOST_PIECES;
	return b;
}

static int with_memory(struct memory_limit *ml, const char *what, bool piecemeal,
		       int (*fn)(void *arg), void (*failed)(void *arg), void *arg)
{
	struct budget b = {};
	unsigned int nr = 0;
	int ret, err;

	memory_limit_settle(ml);
	for (; b.pages < MOST_PAGES; b = next_budget(b, piecemeal), nr++) {
		test_step("%s, with %u pages less %u pieces to spare", what, b.pages, b.pieces);
		memory_limit_set(ml, b.pages);
		b.pieces = take_pieces(ml, b.pieces);
		ret = fn(arg);
		err = errno;
		memory_limit_lift(ml);
		give_pieces_back(ml, b.pieces);
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
