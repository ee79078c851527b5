// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parameters of modules, and others, that a case changes. They are the whole
 * host's, so a process of its own sits by, which no signal to the case reaches,
 * and puts the old value back as soon as the case's process is gone, in whatever
 * way.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test_internal.h"

#define MAX_VALUE	64

struct module_param {
	char path[128];
	char value[MAX_VALUE];		/* as it was */
};

static struct module_param guarded[CASE_MAX_GUARDIANS];
static unsigned int nr_guarded;

static bool read_value(const char *path, char value[MAX_VALUE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, value, MAX_VALUE - 1);
	close(fd);
	value[n < 0 ? 0 : n] = 0;
	value[strcspn(value, "\n")] = 0;
	return n > 0;
}

static bool write_value(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	if (close(fd))
		ok = false;
	return ok;
}

/* Keeps nothing of the case open but the pipe: its end is the case's. */
static void __attribute__((noreturn))
guardian(void (*fn)(const void *arg), const void *arg, int pipe_fd)
{
	char c;

	setsid();
	dup2(pipe_fd, 0);
	syscall(SYS_close_range, 1, ~0U, 0);
	while (read(0, &c, 1) > 0)
		;
	fn(arg);
	_exit(0);
}

void when_case_is_gone(void (*fn)(const void *arg), const void *arg)
{
	static unsigned int nr;
	int fds[2];
	pid_t pid;

	TEST_ERROR_ON(nr == CASE_MAX_GUARDIANS, "too many things to put back");
	/* The guardian must not keep the memory of a VM. */
	TEST_ERROR_ON(case_context.vms, "the host's first change comes before VMs");
	TEST_ERROR_ON(pipe2(fds, O_CLOEXEC), "no pipe");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[1]);
		guardian(fn, arg, fds[0]);
	}
	TEST_ERROR_ON(pid < 0, "cannot fork");
	close(fds[0]);
	/* fds[1] is never closed: the end of the process does it. */
	case_context.report->guardians[nr++] = pid;
}

static void put_back(const void *arg)
{
	const struct module_param *p = arg;

	write_value(p->path, p->value);
}

/* Before the first write, so that there is no moment without a guardian. */
static void guard(const struct module_param *p)
{
	when_case_is_gone(put_back, p);
	guarded[nr_guarded++] = *p;
}

static bool is_guarded(const char *path)
{
	unsigned int i;

	for (i = 0; i < nr_guarded && strcmp(guarded[i].path, path); i++)
		;
	return i < nr_guarded;
}

void kvm_set_module_param(const char *module, const char *param, const char *value)
{
	struct module_param p;

	snprintf(p.path, sizeof(p.path), "/sys/module/%s/parameters/%s", module, param);
	__TEST_REQUIRE(read_value(p.path, p.value),
		       "needs the module parameter %s.%s, which this kernel lacks",
		       module, param);
	/* It may be changed later, when there are VMs. */
	if (!is_guarded(p.path))
		guard(&p);
	if (!strcmp(p.value, value))
		return;
	__TEST_REQUIRE(!access(p.path, W_OK),
		       "needs %s.%s=%s, and may not write it: run as root, or load the module with it (lab/run --param %s.%s=%s)",
		       module, param, value, module, param, value);
	__TEST_REQUIRE(write_value(p.path, value),
		       "needs %s.%s=%s, but the kernel does not take it: %s", module,
		       param, value, strerror(errno));
}

void host_set_param(const char *path, const char *value)
{
	struct module_param p;

	snprintf(p.path, sizeof(p.path), "%s", path);
	__TEST_REQUIRE(read_value(p.path, p.value), "needs %s, which this kernel lacks",
		       path);
	if (!is_guarded(p.path))
		guard(&p);
	__TEST_REQUIRE(!strcmp(p.value, value) || write_value(p.path, value),
		       "needs %s in %s, and cannot write it: %s", value, path,
		       strerror(errno));
}
