// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal: what is known of a run when its host is gone. The environment's
 * KVM_TEST_JOURNAL names a file; a line of it is on the disk before a case
 * begins, and another when it has ended:
 *
 *	start TAB test TAB case
 *	pass | fail | skip TAB test TAB case TAB seconds TAB reason
 *
 * A case that has the first and not the second was in flight.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test_internal.h"

static struct timespec started;

/* In one write(), so that a line is whole or the last one. */
static void journal_line(const char *line, size_t len)
{
	const char *file = getenv("KVM_TEST_JOURNAL");
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	TEST_ERROR_ON(fd < 0 || write(fd, line, len) != (ssize_t)len || fsync(fd),
		      "cannot write the journal %s", file);
	close(fd);
}

void journal_start(const char *test, const char *name)
{
	char line[512];
	int len;

	if (!getenv("KVM_TEST_JOURNAL"))
		return;
	clock_gettime(CLOCK_MONOTONIC, &started);
	len = snprintf(line, sizeof(line), "start\t%s\t%s\n", test, name);
	journal_line(line, len);
}

void journal_end(const char *test, const char *name,
		 enum kvm_case_result result, const char *reason)
{
	static const char *const words[] = {
		[CASE_PASS] = "pass", [CASE_FAIL] = "fail", [CASE_SKIP] = "skip",
	};
	char line[512 + CASE_REASON_SIZE], *tab;
	struct timespec now;
	uint64_t ms;
	size_t len;

	if (!getenv("KVM_TEST_JOURNAL"))
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (now.tv_sec - started.tv_sec) * 1000 +
	     (now.tv_nsec - started.tv_nsec) / 1000000;
	len = snprintf(line, sizeof(line), "%s\t%s\t%s\t%lu.%03lu\t", words[result],
		       test, name, ms / 1000, ms % 1000);
	snprintf(line + len, CASE_REASON_SIZE, "%s", reason);
	for (tab = line + len; *tab; tab++) {
		if (*tab == '\n' || *tab == '\t')
			*tab = ' ';
	}
	*tab++ = '\n';
	journal_line(line, tab - line);
}
