// SPDX-License-Identifier: GPL-2.0-only
/* How a case fails or skips, and what it says on the way. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_internal.h"

struct case_context case_context = { .test = "test", .name = "case" };

static const char *const oracle_names[NR_ORACLES] = {
	[ORACLE_EXIT] = "exit",
	[ORACLE_ERRNO] = "errno",
	[ORACLE_DATA] = "data",
	[ORACLE_LOG] = "log",
	[ORACLE_STATS] = "stats",
	[ORACLE_HANG] = "hang",
	[ORACLE_LEAK] = "leak",
	[ORACLE_ERROR] = "error",
};

const char *oracle_name(enum oracle oracle)
{
	return oracle < NR_ORACLES ? oracle_names[oracle] : "unknown";
}

/* Every line gets the "# " that KTAP wants, also inside a dump. */
static void print_prefixed(char *text)
{
	char *line, *save = NULL;

	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		printf("# %s\n", line);
	fflush(stdout);
}

void pr_info(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0)
		return;
	print_prefixed(text);
	free(text);
}

static void dump_vm(struct kvm_vm *vm, void *arg)
{
	vm_dump(arg, vm);
}

static void dump_live_vms(void)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return;
	vm_for_each_live(dump_vm, f);
	fclose(f);
	print_prefixed(text);
	free(text);
}

void note_fault(const char *text)
{
	struct case_report *report = case_context.report;

	if (report && !report->fault[0])
		snprintf(report->fault, sizeof(report->fault), "%s", text);
}

void test_fail(enum oracle oracle, const char *file, int line, const char *expr,
	       const char *fmt, ...)
{
	static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
	static _Thread_local bool dumping;
	const char *base = strrchr(file, '/');
	int err = errno;
	va_list ap;
	char *text = NULL;

	/* A failure while printing a failure would never end. */
	if (dumping)
		_exit(CASE_EXIT_FAIL);
	/* Held for good: the second thread to fail waits for the end. */
	pthread_mutex_lock(&once);
	dumping = true;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);

	note_fault(text ?: fmt);
	pr_info("%s:%d: %s", base ? base + 1 : file, line, text ?: fmt);
	if (expr)
		pr_info("  check: %s", expr);
	if (err && (oracle == ORACLE_ERRNO || oracle == ORACLE_ERROR))
		pr_info("  errno: %d (%s)", err, strerror(err));
	if (case_context.report && case_context.report->step[0])
		pr_info("  step: %s", case_context.report->step);
	pr_info("oracle: %s", oracle_name(oracle));
	dump_live_vms();
	/* Dying like this is what may take the host down. */
	if (case_context.report)
		breadcrumb("%.80s; failed: exit with everything open",
			   case_context.report->step);
	_exit(CASE_EXIT_FAIL);
}

void test_skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (case_context.report)
		vsnprintf(case_context.report->skip_reason,
			  sizeof(case_context.report->skip_reason), fmt, ap);
	va_end(ap);
	_exit(CASE_EXIT_SKIP);
}

void test_step(const char *fmt, ...)
{
	va_list ap;

	if (!case_context.report)
		return;
	va_start(ap, fmt);
	vsnprintf(case_context.report->step, sizeof(case_context.report->step),
		  fmt, ap);
	va_end(ap);
}

void breadcrumb(const char *fmt, ...)
{
	char step[128], line[512];
	va_list ap;
	int fd, n;

	va_start(ap, fmt);
	vsnprintf(step, sizeof(step), fmt, ap);
	va_end(ap);

	if (case_context.report)
		memcpy(case_context.report->step, step, sizeof(step));

	/*
	 * Opened anew for each line: the kernel limits the rate of an open
	 * file's lines, and a lost breadcrumb is the one that is wanted.
	 */
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Without its newline the record stays open, and nobody can read it. */
	n = snprintf(line, sizeof(line), "<5>%s.%s: %s\n", case_context.test,
		     case_context.name, step);
	if (write(fd, line, n) < 0)
		errno = 0;	/* as documented: silent */
	close(fd);
}

/* SplitMix64: small, and the same on every host. */
uint64_t test_random(void)
{
	uint64_t z = case_context.random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

unsigned int timeout_multiplier(void)
{
	const char *mul = getenv("KVM_TEST_TIMEOUT_MUL");
	long n = mul ? strtol(mul, NULL, 10) : 1;

	return n >= 1 && n <= 1000 ? n : 1;
}

unsigned int test_seconds(unsigned int seconds)
{
	return seconds * timeout_multiplier();
}

void stay_on_this_cpu(void)
{
	int cpu = sched_getcpu();
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	TEST_ERROR_ON(cpu < 0 || sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}
