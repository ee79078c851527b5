// SPDX-License-Identifier: GPL-2.0-only
/* DAMON by its files in sysfs, see include/damon.h. */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "damon.h"
#include "test_internal.h"

#define DAMON		"/sys/kernel/mm/damon/admin/kdamonds/"
#define TARGET		"0/contexts/0/targets/0/"
#define ATTRS		"0/contexts/0/monitoring_attrs/"
#define SCHEME		"0/contexts/0/schemes/0/"
#define SAMPLE_US	5000U

static bool try_set(const char *name, const char *value)
{
	char path[160];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), DAMON "%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	if (fd >= 0)
		close(fd);
	return ok;
}

static void __attribute__((format(printf, 2, 3)))
set(const char *name, const char *fmt, ...)
{
	char value[64];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	TEST_ERROR_ON(!try_set(name, value), DAMON "%s cannot be set to %s", name, value);
}

static unsigned long get(const char *name)
{
	unsigned long value = 0;
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), DAMON "%s", name);
	f = fopen(path, "re");
	TEST_ERROR_ON(!f || fscanf(f, "%lu", &value) != 1, "%s cannot be read", path);
	fclose(f);
	return value;
}

/* Its thread ends a little later than the process that it watches. */
static void off(const void *arg)
{
	unsigned int i;

	(void)arg;
	try_set("0/state", "off");
	for (i = 0; i < 100 && !try_set("nr_kdamonds", "0"); i++)
		usleep(20 * 1000);
}

void damon_prepare(void)
{
	__TEST_REQUIRE(!access(DAMON "nr_kdamonds", W_OK),
		       "needs DAMON: root, and a kernel with CONFIG_DAMON_SYSFS and CONFIG_DAMON_VADDR");
	__TEST_REQUIRE(!get("nr_kdamonds"), "needs a DAMON that nobody else uses");
	/* Since 6.17 it may watch all memory from the boot on. */
	if (!access("/sys/module/damon_stat/parameters/enabled", W_OK))
		kvm_set_module_param("damon_stat", "enabled", "N");
	when_case_is_gone(off, NULL);
	set("nr_kdamonds", "1");
	set("0/contexts/nr_contexts", "1");
	__TEST_REQUIRE(try_set("0/contexts/0/operations", "fvaddr") &&
		       try_set("0/contexts/0/schemes/nr_schemes", "1") &&
		       !access(DAMON SCHEME "tried_regions", F_OK),
		       "needs DAMON's tried_regions and fvaddr, of Linux 6.2");
	set(ATTRS "intervals/sample_us", "%u", SAMPLE_US);
	set(ATTRS "intervals/aggr_us", "%u", SAMPLE_US * DAMON_SAMPLES);
	set(ATTRS "nr_regions/min", "3");
	set(ATTRS "nr_regions/max", "10");
	/* Everything is tried, and nothing is done but that. */
	set(SCHEME "action", "stat");
	set(SCHEME "access_pattern/sz/max", "%lu", 1UL << 40);
	set(SCHEME "access_pattern/nr_accesses/max", "%u", DAMON_SAMPLES);
	set(SCHEME "access_pattern/age/max", "1000000");
}

void damon_start(const struct damon_range *ranges, unsigned int n)
{
	char name[64];
	unsigned int i;

	set("0/contexts/0/targets/nr_targets", "1");
	set(TARGET "pid_target", "%d", getpid());
	set(TARGET "regions/nr_regions", "%u", n);
	for (i = 0; i < n; i++) {
		const uintptr_t start = (uintptr_t)ranges[i].start;

		snprintf(name, sizeof(name), TARGET "regions/%u/start", i);
		set(name, "%lu", start);
		snprintf(name, sizeof(name), TARGET "regions/%u/end", i);
		set(name, "%lu", start + ranges[i].size);
	}
	__TEST_REQUIRE(try_set("0/state", "on"), "needs a DAMON that nobody else uses");
}

void damon_ask(struct damon_range *ranges, unsigned int n)
{
	unsigned int i, used;
	char name[96];
	uintptr_t at;
	struct dirent *d;
	DIR *dir;

	set("0/state", "update_schemes_tried_regions");
	for (i = 0; i < n; i++)
		ranges[i].used = 0;
	dir = opendir(DAMON SCHEME "tried_regions");
	TEST_ERROR_ON(!dir, "DAMON's regions cannot be read");
	while ((d = readdir(dir))) {
		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		snprintf(name, sizeof(name), SCHEME "tried_regions/%.16s/start", d->d_name);
		at = get(name);
		snprintf(name, sizeof(name), SCHEME "tried_regions/%.16s/nr_accesses", d->d_name);
		used = get(name);
		for (i = 0; i < n; i++) {
			const uintptr_t start = (uintptr_t)ranges[i].start;

			if (at >= start && at < start + ranges[i].size &&
			    used > ranges[i].used)
				ranges[i].used = used;
		}
	}
	closedir(dir);
}
