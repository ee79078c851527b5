// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor of a case: forks the case's process, watches over it, and then
 * looks at what it left behind. Every oracle that looks from outside is here,
 * so no test can forget one.
 *
 * The case's process ends without closing anything, which is how most VMMs die.
 * Before that it hands the statistics fds of its live VMs over: they outlive
 * the address space, and must then say that nothing is mapped.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../test_internal.h"
#include "fd_passing.h"
#include "oracle.h"
#include "proc.h"

#define DEFAULT_TIMEOUT		20
#define KILL_SECONDS		5
#define MAX_VMS			16
#define TEXT_SIZE		16384

struct supervisor {
	const struct kvm_test *test;
	struct case_report *report;
	struct kmsg_watch kmsg;
	struct host_state before;
	bool alone;			/* no other VM on this host */
	int stats[2];			/* socket that carries statistics fds */
	pid_t pid;
	unsigned int timeout;
	unsigned int failures;
	char text[TEXT_SIZE];
};

/* One fault, with the oracle that found it. */
static void __printf(3, 4) report(struct supervisor *s, enum oracle oracle,
				  const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	note_fault(line);
	pr_info("%s.%s: %s", case_context.test, case_context.name, line);
	if (s->report->step[0])
		pr_info("  step: %s", s->report->step);
	pr_info("oracle: %s", oracle_name(oracle));
	s->failures++;
}

/* ---- in the case's process ---- */

static void send_stats_fd(struct kvm_vm *vm, void *arg)
{
	vm_check_stats(vm);
	vm_check_constants(vm);
	if (vm->stats_fd < 0)
		return;
	send_fd(*(int *)arg, vm->stats_fd);
}

/*
 * NUMA balancing unmaps memory now and then to see who uses it, and KVM's statistics
 * and dirty logs tell. It leaves alone what has a policy, be it the default one.
 */
static void keep_numa_balancing_out(void)
{
	syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0UL);
}

static void __attribute__((noreturn))
case_process(struct supervisor *s, void (*body)(const void *variant),
	     const void *variant)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	keep_numa_balancing_out();
	close(s->stats[0]);
	install_hang_dump();
	breadcrumb("start");
	body(variant);
	vm_for_each_live(send_stats_fd, &s->stats[1]);
	breadcrumb("exit with everything open");
	s->report->body_returned = true;
	fflush(stdout);
	_exit(CASE_EXIT_PASS);
}

/* ---- in the supervisor ---- */

/* Waits until the case's process ends; false when @seconds have passed. */
static bool wait_for_exit(int pidfd, unsigned int seconds)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };
	int r;

	do {
		r = poll(&pfd, 1, seconds * 1000);
	} while (r < 0 && errno == EINTR);
	return r > 0;
}

static void handle_hang(struct supervisor *s, int pidfd)
{
	report(s, ORACLE_HANG, "no end after %u seconds (KVM_TEST_TIMEOUT_MUL=%u)",
	       s->timeout * timeout_multiplier(), timeout_multiplier());
	print_threads(s->pid);
	/* Each thread says where its guest is; see lib/vcpu_thread.c. */
	signal_threads(s->pid, SIGQUIT);
	usleep(300 * 1000);
	kill(-s->pid, SIGKILL);
	kill(s->pid, SIGKILL);
	if (!wait_for_exit(pidfd, test_seconds(KILL_SECONDS))) {
		pr_info("  SIGKILL does not end the process: it hangs in the kernel");
		print_threads(s->pid);
	}
}

static void judge_status(struct supervisor *s, int status)
{
	if (WIFSIGNALED(status))
		report(s, WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGSEGV ?
		       ORACLE_DATA : ORACLE_EXIT,
		       "the case's process died of signal %d (%s)",
		       WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == CASE_EXIT_PASS && !s->report->body_returned)
		report(s, ORACLE_ERROR, "the case's process left through exit(0)");
	else if (WEXITSTATUS(status) == CASE_EXIT_FAIL)
		s->failures++;	/* test_fail() has said why */
	else if (WEXITSTATUS(status) != CASE_EXIT_PASS)
		report(s, ORACLE_ERROR, "the case's process exited with status %d",
		       WEXITSTATUS(status));
}

/* False when the case skipped. */
static bool watch_process(struct supervisor *s)
{
	int pidfd = syscall(SYS_pidfd_open, s->pid, 0);
	int status = 0;

	if (pidfd < 0) {
		report(s, ORACLE_ERROR, "pidfd_open: %s", strerror(errno));
		kill(s->pid, SIGKILL);
		return true;
	}
	if (!wait_for_exit(pidfd, test_seconds(s->timeout))) {
		handle_hang(s, pidfd);
		/* Not waited for if it is stuck: that would hang us, too. */
		waitpid(s->pid, &status, WNOHANG);
	} else if (waitpid(s->pid, &status, 0) == s->pid) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == CASE_EXIT_SKIP) {
			close(pidfd);
			return false;
		}
		judge_status(s, status);
	}
	close(pidfd);
	return true;
}

/* The address space is gone, so KVM must have unmapped everything. */
static void check_stats_after_death(struct supervisor *s)
{
	int64_t value;
	size_t i;
	int fd;

	while ((fd = receive_fd(s->stats[0])) >= 0) {
		for (i = 0; i < NR_MAPPING_STATS; i++) {
			if (stats_fd_read(fd, mapping_stats[i], &value) && value)
				report(s, ORACLE_STATS,
				       "the guest's address space is gone, but %s is %ld",
				       mapping_stats[i], value);
		}
		close(fd);
	}
}

/* It ends by itself, once the module parameter is what it was. */
static bool is_guardian(const struct supervisor *s, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < CASE_MAX_GUARDIANS; i++) {
		if (s->report->guardians[i] == pid)
			return true;
	}
	return false;
}

/*
 * Descendants that the case left behind have become our children. Guardians come
 * last: what is left behind may have the pipe whose end they wait for.
 */
static void reap_leftovers(struct supervisor *s)
{
	pid_t pid;

	while ((pid = first_child(s->report->guardians, CASE_MAX_GUARDIANS)) > 0) {
		if (pid == s->pid)	/* stuck in the kernel; reported */
			return;
		if (is_guardian(s, pid)) {
			waitpid(pid, NULL, 0);
			continue;
		}
		/* A case that failed had no chance to end what it started. */
		if (!s->failures)
			report(s, ORACLE_ERROR, "the case left process %d behind", pid);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/*
 * The host as the last case of this program has left it, shared by the processes of
 * all cases. Reading it takes as long as a small case, so the next one begins with that.
 */
static struct {
	struct host_state state;
	bool is_clean;
} *last_case;

void kvm_cases_begin(void)
{
	last_case = mmap(NULL, sizeof(*last_case), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ERROR_ON(last_case == MAP_FAILED, "mmap");
}

static void read_host_before(struct supervisor *s)
{
	if (last_case && last_case->is_clean) {
		s->before = last_case->state;
		s->before.value[HOST_VMS] = host_vms("");
		last_case->is_clean = false;
	} else {
		host_state_read(&s->before, "");
	}
	s->alone = s->before.value[HOST_VMS] <= 0;
}

static void check_host(struct supervisor *s)
{
	struct host_state now;

	if (!s->alone)
		return;
	if (host_state_check(&s->before, &now, test_seconds(HOST_SETTLE_SECONDS),
			     s->text, sizeof(s->text))) {
		report(s, ORACLE_LEAK, "the host is not as it was before the case");
		pr_info("%s", s->text);
	} else if (last_case) {
		last_case->state = now;
		last_case->is_clean = true;
	}
}

/*
 * Every untouched page of every process is this page: a guest that got it
 * writable has changed the whole host's idea of zero.
 */
static void check_zero_page(struct supervisor *s)
{
	const uint64_t *page = mmap(NULL, SZ_4K, PROT_READ,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (page == MAP_FAILED)
		return;
	for (i = 0; i < SZ_4K / sizeof(*page); i++) {
		if (page[i]) {
			report(s, ORACLE_DATA,
			       "the host's zero page holds 0x%lx at offset 0x%zx",
			       page[i], i * sizeof(*page));
			break;
		}
	}
	munmap((void *)page, SZ_4K);
}

static void check_log(struct supervisor *s)
{
	unsigned int splats;

	s->kmsg.short_of_memory = s->report->short_of_memory;
	splats = kmsg_watch_check(&s->kmsg, s->text, sizeof(s->text));
	if (splats)
		report(s, ORACLE_LOG, "the kernel log has %u line%s of trouble",
		       splats, splats > 1 ? "s" : "");
	if (s->failures && s->text[0])
		pr_info("kernel log of the case:\n%s", s->text);
	kmsg_watch_end(&s->kmsg);
}

/* A failing case says how to repeat it, and what it may have found. */
static void print_hints(const struct supervisor *s)
{
	const char *const *fix;

	pr_info("repeat: %s --case %s --seed 0x%lx", case_context.test,
		case_context.name, case_context.seed);
	for (fix = s->test->fixes; fix && *fix; fix++)
		pr_info("HINT: such bugs were fixed by %s", *fix);
}

static void print_blind_oracles(const struct supervisor *s)
{
	static const char off[] = "oracle off";

	if (s->kmsg.fd < 0)
		pr_info("%s: kernel log: cannot read /dev/kmsg; run as root", off);
	if (s->before.value[HOST_VMS] < 0)
		pr_info("%s: VMs left behind: cannot read /sys/kernel/debug/kvm; run as root, mount debugfs",
			off);
	if (!s->alone)
		pr_info("%s: leaks: another VM runs on this host", off);
}

static void supervisor_init(struct supervisor *s, const struct kvm_test *test,
			    const struct kvm_needs *needs, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->test = test;
	s->timeout = needs && needs->timeout ? needs->timeout :
		     test->needs.timeout ?: DEFAULT_TIMEOUT;
	/* Shared, so that it survives the case's process. */
	s->report = mmap(NULL, sizeof(*s->report), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ERROR_ON(s->report == MAP_FAILED ||
		      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->stats),
		      "cannot set the supervisor up");
	case_context.test = test->name;
	case_context.name = name;
	case_context.report = s->report;
	case_context.random = case_context.seed;

	/* If the harness dies, so do we, and with us the case. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	kmsg_watch_start(&s->kmsg);
	read_host_before(s);
}

static enum kvm_case_result run_case(const struct kvm_test *test,
				     const struct kvm_needs *needs,
				     const char *case_name,
				     void (*body)(const void *variant),
				     const void *variant,
				     char reason[CASE_REASON_SIZE])
{
	static struct supervisor s;
	bool ran;

	if (needs && !kvm_needs_met(needs, reason, CASE_REASON_SIZE))
		return CASE_SKIP;
	supervisor_init(&s, test, needs, case_name);
	print_blind_oracles(&s);
	fflush(NULL);

	s.pid = fork();
	if (!s.pid)
		case_process(&s, body, variant);
	TEST_ERROR_ON(s.pid < 0, "cannot fork the case's process");
	close(s.stats[1]);

	ran = watch_process(&s);
	check_stats_after_death(&s);
	reap_leftovers(&s);
	check_host(&s);
	check_zero_page(&s);
	check_log(&s);
	close(s.stats[0]);
	if (s.failures) {
		print_hints(&s);
		snprintf(reason, CASE_REASON_SIZE, "%s", s.report->fault);
		return CASE_FAIL;
	}
	if (!ran) {
		snprintf(reason, CASE_REASON_SIZE, "%s", s.report->skip_reason);
		return CASE_SKIP;
	}
	return CASE_PASS;
}

enum kvm_case_result kvm_case_run(const struct kvm_test *test,
				  const struct kvm_needs *needs,
				  const char *case_name,
				  void (*body)(const void *variant),
				  const void *variant,
				  char reason[CASE_REASON_SIZE])
{
	enum kvm_case_result result;

	journal_start(test->name, case_name);
	result = run_case(test, needs, case_name, body, variant, reason);
	journal_end(test->name, case_name, result, reason);
	return result;
}
