/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test says of itself, as data; and how the library runs a case.
 * Tests include kvm_test_harness.h, which wraps this for the kernel's harness.
 */
#ifndef SELFTEST_KVM_KVM_TEST_H
#define SELFTEST_KVM_KVM_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_need_cap {
	long cap;
	const char *name;
};

#define NEED_CAP(c)		{ .cap = (c), .name = #c }
#define NEED_CAPS(...)		((const struct kvm_need_cap[]){ __VA_ARGS__, {} })

/* Everything that is missing is collected into one skip reason. */
struct kvm_needs {
	const struct kvm_need_cap *caps;	/* NEED_CAPS(NEED_CAP(...), ...) */
	unsigned int huge_2m;		/* free 2M hugetlb pages */
	unsigned int huge_1g;		/* free 1G hugetlb pages */
	unsigned int cpus;		/* online host CPUs, where fewer cannot do */
	unsigned int mem_mb;		/* available memory */
	bool thp;			/* transparent huge pages not "never" */
	bool privileged;		/* root, for debugfs or module parameters */
	unsigned int timeout;		/* of one case, seconds; 0: the test's, or 20 */
};

struct kvm_test {
	const char *name;		/* file name without .c */
	struct kvm_needs needs;		/* of every case */
	/* "<12-hex commit> subject" of fixes for such bugs, NULL-terminated */
	const char *const *fixes;
};

/* Result of a case; the first three are kselftest's exit codes. */
enum kvm_case_result {
	CASE_PASS = 0,
	CASE_FAIL = 1,
	CASE_SKIP = 4,
};

#define CASE_REASON_SIZE	768

/* Before the first case of a program, in the process that starts them all. */
void kvm_cases_begin(void);

/*
 * Runs @body(@variant) in a process of its own under a watchdog, with every
 * oracle on, and prints why it failed. @needs may be NULL. The reason of a skip
 * or a failure goes to @reason.
 */
enum kvm_case_result kvm_case_run(const struct kvm_test *test,
				  const struct kvm_needs *needs,
				  const char *case_name,
				  void (*body)(const void *variant),
				  const void *variant,
				  char reason[CASE_REASON_SIZE]);

/* Collects what is missing into @reason; true when nothing is. */
bool kvm_needs_met(const struct kvm_needs *needs, char *reason, size_t size);

/* True when this host's KVM is what the suite is for; else says why not. */
bool kvm_host_usable(char *reason, size_t size);

/* Multiplier of every deadline: KVM_TEST_TIMEOUT_MUL, at least 1. */
unsigned int timeout_multiplier(void);

struct kvm_test_options {
	const char *cases[32];		/* globs of --case */
	unsigned int nr_cases;
	bool list;
};

/* Parses the command line; answers --help, and ends the program on bad input. */
void kvm_test_parse_options(const struct kvm_test *test, int argc, char **argv,
			    struct kvm_test_options *opts);
bool kvm_test_case_selected(const struct kvm_test_options *opts, const char *name);

/*
 * An option of one test: "--set NAME=VALUE" on the command line, else the
 * environment's KVM_TEST_<NAME>, else @def.
 */
uint64_t kvm_test_option(const char *name, uint64_t def);

/*
 * How often to try what shows only now and then, @n times by default: "--set tries=P"
 * makes it P percent of that, at least once. An emulated host is slow and does half;
 * hardware, in a long night, many times as much.
 */
unsigned int test_tries(unsigned int n);

#endif /* SELFTEST_KVM_KVM_TEST_H */
