// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel holds, see host_usage.h: objects of every slab cache, pages that
 * have an owner in /proc/meminfo, and those that have none.
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host_files.h"
#include "host_usage.h"
#include "../test_internal.h"

#define TRIES	6
/* Some of these come and go on any host. */
#define OWNERLESS	"ownerless"
#define LEAST_OWNERLESS	8
/* kfree_rcu() gives back what it has collected in five seconds. */
#define SETTLE_S	6

static void add(struct host_usage *u, const char *name, const char *unit, int64_t value)
{
	if (value < 0)
		return;
	TEST_ERROR_ON(u->nr == HOST_USAGE_MAX, "this host has more than %u kinds of memory to look at: raise HOST_USAGE_MAX",
		      HOST_USAGE_MAX);
	snprintf(u->item[u->nr].name, sizeof(u->item[u->nr].name), "%.28s %s", name, unit);
	u->item[u->nr++].value = value;
}

/*
 * A busy host's file systems, whose caches come and go with the page cache; and what
 * vfree() leaves for later.
 */
static bool is_left_out(const char *cache)
{
	return strstr(cache, "inode") || strstr(cache, "dentry") ||
	       strstr(cache, "buffer_head") || strstr(cache, "kernfs") ||
	       strstr(cache, "proc_dir") || !strcmp(cache, "vmap_area");
}

/*
 * Seen to grow, and not to stay so, where a process at the limit of its memory cgroup
 * opens many files: those, and caches that nobody is charged for. Since 5.14, what KVM
 * has the process pay for is in others, kmalloc-cg-*.
 */
static bool is_unsteady_without_memory(const char *cache)
{
	return !strcmp(cache, "filp") ||
	       (!strncmp(cache, "kmalloc-", 8) && cache[8] >= '0' && cache[8] <= '9');
}

static void add_slabs(struct host_usage *u)
{
	const bool short_of_memory = case_context.report && case_context.report->short_of_memory;
	FILE *f = open_below("", "/proc/slabinfo");
	char line[256], *space;

	while (f && fgets(line, sizeof(line), f)) {
		space = strchr(line, ' ');
		if (!space || line[0] == '#' || !strncmp(line, "slabinfo", 8))
			continue;
		*space = 0;
		if (!is_left_out(line) && !(short_of_memory && is_unsteady_without_memory(line)))
			add(u, line, "objects", slab_objects("", line));
	}
	if (f)
		fclose(f);
}

/* What is too much for the caches of kmalloc() counts as slab, and is in none. */
static int64_t large_kmalloc_kb(void)
{
	FILE *f = open_below("", "/proc/slabinfo");
	int64_t kb = meminfo_kb("", "Slab");
	unsigned long pages, slabs;
	char line[256];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*u %*u %*u %*u %lu : tunables %*u %*u %*u : slabdata %*u %lu",
			   &pages, &slabs) == 2)
			kb -= pages * slabs * 4;
	}
	fclose(f);
	return kb < 0 ? 0 : kb;
}

/* Free pages on the CPUs' own lists are not in MemFree. */
static int64_t percpu_free_kb(void)
{
	FILE *f = open_below("", "/proc/zoneinfo");
	int64_t pages = 0, n;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	}
	if (f)
		fclose(f);
	return pages * 4;
}

/* Pages that nothing in /proc/meminfo accounts for: alloc_page() of any driver. */
static int64_t ownerless_kb(void)
{
	static const char *const owned[] = {
		"MemFree", "Buffers", "Cached", "SwapCached", "AnonPages", "Slab",
		"KernelStack", "PageTables", "SecPageTables", "Percpu", "VmallocUsed",
	};
	int64_t kb = meminfo_kb("", "MemTotal") - percpu_free_kb();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owned); i++) {
		int64_t n = meminfo_kb("", owned[i]);

		kb -= n < 0 ? 0 : n;
	}
	return kb < 0 ? 0 : kb;
}

int64_t host_usage_value(const struct host_usage *u, const char *name)
{
	unsigned int i;

	for (i = 0; i < u->nr; i++) {
		if (!strcmp(u->item[i].name, name))
			return u->item[i].value;
	}
	return 0;
}

void host_usage_read(struct host_usage *u)
{
	static const char *const fields[] = {
		"PageTables", "SecPageTables", "VmallocUsed", "KernelStack",
	};
	int64_t percpu = meminfo_kb("", "Percpu");
	size_t i;

	u->nr = 0;
	/* A grace period, and time for those who wait for one. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	usleep(20 * 1000);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	add_slabs(u);
	poke_file("", "/proc/sys/vm/stat_refresh", O_RDONLY);
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		add(u, fields[i], "pages", meminfo_kb("", fields[i]) / 4);
	/* What is given back to nobody there is often less than a page. */
	add(u, "Percpu", "x 512 bytes", percpu < 0 ? -1 : 2 * percpu);
	add(u, "large kmalloc", "pages", large_kmalloc_kb() / 4);
	add(u, OWNERLESS, "pages", ownerless_kb() / 4);
}

/* Keeps those of @suspects that have grown by @least. */
static void keep_grown(struct host_usage *suspects, const struct host_usage *before,
		       const struct host_usage *now, int64_t least)
{
	unsigned int i, kept = 0;

	for (i = 0; i < suspects->nr; i++) {
		const char *name = suspects->item[i].name;
		int64_t by = host_usage_value(now, name) - host_usage_value(before, name);
		bool few = by < LEAST_OWNERLESS && !strncmp(name, OWNERLESS, strlen(OWNERLESS));

		if (by < least || few)
			continue;
		suspects->item[kept] = suspects->item[i];
		suspects->item[kept++].value = by;
	}
	suspects->nr = kept;
}

static void __attribute__((noreturn))
fail_grown(const struct host_usage *suspects, unsigned int n, const char *what)
{
	char text[1024] = "";
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < suspects->nr && used < sizeof(text); i++)
		used += snprintf(text + used, sizeof(text) - used, "\n  %s: %ld more",
				 suspects->item[i].name, suspects->item[i].value);
	test_fail(ORACLE_LEAK, __FILE__, __LINE__, NULL,
		  "after %u %s the kernel holds more than before them, and so it was %u times in a row; the last time:%s",
		  n, what, TRIES, text);
}

void host_usage_expect_constant(unsigned int n, const char *what,
				void (*fn)(unsigned int n, void *arg), void *arg)
{
	static struct host_usage before, now, suspects;
	unsigned int i;

	host_usage_read(&before);
	/* The files that this reads have cost something the first time. */
	host_usage_read(&before);
	__TEST_REQUIRE(before.nr > 16, "needs /sys/kernel/slab: a kernel with CONFIG_SLUB_DEBUG");
	suspects = before;
	/*
	 * Once it may have been somebody else, or a cache that was filled; the last time
	 * nothing may be on its way.
	 */
	for (i = 0; i < TRIES; i++) {
		if (i == TRIES - 1) {
			sleep(SETTLE_S);
			host_usage_read(&before);
		}
		fn(n, arg);
		if (i == TRIES - 1)
			sleep(SETTLE_S);
		host_usage_read(&now);
		keep_grown(&suspects, &before, &now, (n + 1) / 2);
		if (!suspects.nr)
			return;
		before = now;
	}
	fail_grown(&suspects, n, what);
}
