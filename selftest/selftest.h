/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tests of the suite itself: each oracle is fed the fault it exists for and must
 * fire. Plain TEST()s of the kernel's harness, with the suite's options.
 */
#ifndef SELFTEST_KVM_SELFTEST_H
#define SELFTEST_KVM_SELFTEST_H

#include <sys/mman.h>
#include <sys/wait.h>

#include "kvm_test_harness.h"

/* TEST() of Linux 6.1's harness has a parameter that clang misses a use of. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define SELFTEST_MAIN(suite_name)					\
	KVM_TEST_SUITE(suite_name);					\
	int main(int argc, char **argv)					\
	{								\
		struct kvm_test_options opts = {};			\
									\
		kvm_test_parse_options(&kvm_test, argc, argv, &opts);	\
		if (!kvm_test_select(&opts))				\
			return 2;					\
		if (opts.list)						\
			return 0;					\
		atexit(kvm_test_exit_status);				\
		return (test_harness_run)(1, argv);			\
	}

struct captured {
	int status;		/* of the process, as from wait() */
	char text[32768];	/* what it printed */
};

/*
 * Runs @fn(@arg) in a process of its own and keeps what it prints. Its return
 * value is the exit status.
 */
static inline void capture(struct captured *c, int (*fn)(const void *arg),
			   const void *arg)
{
	int fd = memfd_create("selftest", 0);
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(fd, STDOUT_FILENO);
		n = fn(arg);
		fflush(NULL);
		_exit(n);
	}
	waitpid(pid, &c->status, 0);
	n = pread(fd, c->text, sizeof(c->text) - 1, 0);
	c->text[n > 0 ? n : 0] = 0;
	close(fd);
}

/* The process ended with @want and its output has every one of the words. */
#define EXPECT_CAPTURED(c, want, ...)					\
do {									\
	static const char *const __words[] = { __VA_ARGS__ };		\
	size_t __i;							\
									\
	EXPECT_TRUE(WIFEXITED((c)->status));				\
	EXPECT_EQ(want, WEXITSTATUS((c)->status))			\
		TH_LOG("output was:\n%s", (c)->text);			\
	for (__i = 0; __i < ARRAY_SIZE(__words); __i++)			\
		EXPECT_NE(NULL, strstr((c)->text, __words[__i]))	\
			TH_LOG("no '%s' in:\n%s", __words[__i],		\
			       (c)->text);				\
} while (0)

struct case_arg {
	void (*body)(const void *variant);
	const void *variant;
	unsigned int timeout;
};

static const struct kvm_test fed_test = {
	.name = "selftest",
	.fixes = FIXES("123456789abc (\"a fix\")"),
};

/* A whole case under its supervisor, as the harness would run it. */
static inline int run_case(const void *p)
{
	const struct case_arg *arg = p;
	struct kvm_needs needs = { .timeout = arg->timeout };
	char reason[CASE_REASON_SIZE] = "";
	int result;

	setpgid(0, 0);
	result = kvm_case_run(&fed_test, &needs, "kvm.fed", arg->body, arg->variant,
			      reason);
	if (reason[0])
		printf("# reason: %s\n", reason);
	return result;
}

#define RUN_CASE(c, ...)						\
	capture(c, run_case, &(struct case_arg){ __VA_ARGS__ })

#endif /* SELFTEST_KVM_SELFTEST_H */
