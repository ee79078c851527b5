// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"
#include "test_util.h"

static void print_file(pid_t pid, long tid, const char *name)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%ld/%s", pid, tid, name);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		pr_info("  thread %ld %s: %s", tid, name, line);
	}
	fclose(f);
}

static void for_each_thread(pid_t pid, void (*fn)(pid_t pid, long tid, int arg),
			    int arg)
{
	struct dirent *d;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		long tid = strtol(d->d_name, NULL, 10);

		if (tid > 0)
			fn(pid, tid, arg);
	}
	if (dir)
		closedir(dir);
}

static void print_thread(pid_t pid, long tid, int arg)
{
	(void)arg;
	print_file(pid, tid, "wchan");
	print_file(pid, tid, "syscall");
	print_file(pid, tid, "stack");
}

static void signal_thread(pid_t pid, long tid, int sig)
{
	syscall(SYS_tgkill, pid, tid, sig);
}

void print_threads(pid_t pid)
{
	for_each_thread(pid, print_thread, 0);
}

void signal_threads(pid_t pid, int sig)
{
	for_each_thread(pid, signal_thread, sig);
}

static bool is_one_of(pid_t pid, const pid_t pids[], size_t nr)
{
	while (nr && pids[nr - 1] != pid)
		nr--;
	return nr;
}

pid_t first_child(const pid_t last[], size_t nr_last)
{
	pid_t pid, child = 0;
	char path[64];
	FILE *f;

	/* Zombies are reaped on the way: they are gone for all that matters. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	snprintf(path, sizeof(path), "/proc/self/task/%ld/children",
		 syscall(SYS_gettid));
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fscanf(f, "%d", &pid) == 1) {
		child = pid;
		if (!is_one_of(pid, last, nr_last))
			break;
	}
	fclose(f);
	return child;
}
