// SPDX-License-Identifier: GPL-2.0-only
/* The kernel log and the taint flags. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oracle.h"
#include "test_util.h"

/*
 * Words of trouble. All are checked against messages of the kernel itself only,
 * so a test's breadcrumb may use them.
 */
static const char *const splats[] = {
	"BUG:", "kernel BUG at", "Oops", "WARNING:", "cut here",
	"general protection fault, ", "unable to handle", "Unable to handle",
	"double fault", "stack guard page", "divide error:", "invalid opcode:",
	"reserved bits", "Bad page", "Bad rss-counter", "bad pmd", "bad pud",
	"pte_list_", "rmap_remove", "spte was",
	"non-zero mapcount", "non-zero pgtables_bytes", "refcount_t:",
	"list_add corruption", "list_del corruption", "corrupted",
	"self-detected stall", "detected stalls", "rcu_sched kthread",
	"soft lockup", "hard LOCKUP", "blocked for more than", "hung_task",
	"KASAN", "KCSAN", "KFENCE", "UBSAN", "KMSAN", "DEBUG_LOCKS_WARN_ON",
	"possible circular locking", "possible recursive locking",
	"inconsistent lock state", "suspicious RCU", "sleeping function called",
	"scheduling while atomic", "unreferenced object", "Objects remaining",
	"page allocation failure", "Out of memory", "oom-kill", "Call Trace:",
	"VM-Entry failed", "unexpected VM-Exit", "Kernel panic",
	"use-after-free", "double free", "slab-out-of-bounds", "Machine check",
	/* slub_debug */
	"Redzone overwritten", "Poison overwritten", "padding overwritten",
	"Object already free", "Freepointer corrupt", "Invalid object pointer",
};

bool kmsg_record_is_splat(const char *record)
{
	const char *message = strchr(record, ';');
	unsigned long prefix = strtoul(record, NULL, 10);
	size_t i;

	/* The facility is above the 3 bits of the level; 0 is the kernel. */
	if (!message || prefix >> 3)
		return false;
	for (i = 0; i < ARRAY_SIZE(splats); i++) {
		if (strstr(message, splats[i]))
			return true;
	}
	return false;
}

/* That the kernel got no memory, the trace of who asked, and whom that cost his life. */
static bool is_want_of_memory(const char *record)
{
	return strstr(record, "page allocation failure") || strstr(record, "Call Trace:") ||
	       strstr(record, "oom-kill") || strstr(record, "no killable processes");
}

static unsigned long long read_taint(void)
{
	unsigned long long taint = 0;
	FILE *f = fopen("/proc/sys/kernel/tainted", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &taint) != 1)
		taint = 0;
	fclose(f);
	return taint;
}

/*
 * Documentation/admin-guide/tainted-kernels.rst: machine check (4), bad page
 * (5), died (7), warning (9), soft lockup (14). The rest is how the host was
 * built or used, and not for us to judge.
 */
unsigned long long taint_new_trouble(unsigned long long before,
				     unsigned long long now)
{
	const unsigned long long trouble = BIT(4) | BIT(5) | BIT(7) | BIT(9) |
					   BIT(14);

	return now & ~before & trouble;
}

/* A WARN_ON_ONCE() that fired in an earlier case must be able to fire again. */
static void clear_warn_once(void)
{
	int fd = open("/sys/kernel/debug/clear_warn_once", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		errno = 0;	/* one warning fewer to see, nothing else */
	close(fd);
}

void kmsg_watch_start(struct kmsg_watch *w)
{
	clear_warn_once();
	w->taint = read_taint();
	w->short_of_memory = false;
	w->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (w->fd >= 0)
		lseek(w->fd, 0, SEEK_END);
}

static size_t append_record(char *text, size_t size, size_t used, char *record)
{
	char *message = strchr(record, ';');
	int n;

	if (!message || used >= size)
		return used;
	message++;
	message[strcspn(message, "\n")] = 0;
	n = snprintf(text + used, size - used, "  log: %s\n", message);
	return used + n < size ? used + n : size - 1;
}

unsigned int kmsg_watch_check(struct kmsg_watch *w, char *text, size_t size)
{
	unsigned long long taint = taint_new_trouble(w->taint, read_taint());
	unsigned int nr = 0;
	char record[8192];
	size_t used = 0;
	ssize_t n;

	text[0] = 0;
	while (w->fd >= 0) {
		n = read(w->fd, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE) {
			/* So much was logged that the start is lost. */
			nr++;
			used += snprintf(text + used, size - used,
					 "  log: records were lost, too many of them\n");
			continue;
		}
		if (n <= 0)
			break;
		record[n] = 0;
		nr += kmsg_record_is_splat(record) &&
		      !(w->short_of_memory && is_want_of_memory(record));
		if (used + 256 < size)
			used = append_record(text, size, used, record);
	}
	if (taint) {
		nr++;
		if (used < size)
			snprintf(text + used, size - used,
				 "  taint: new flags 0x%llx\n", taint);
	}
	return nr;
}

void kmsg_watch_end(struct kmsg_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
