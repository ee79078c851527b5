// SPDX-License-Identifier: GPL-2.0-only
/* The command line that all tests share. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "test_internal.h"

static void __attribute__((noreturn)) usage(const struct kvm_test *test, FILE *to)
{
	fprintf(to,
		"usage: %s [--list] [--case GLOB]... [--seed N] [--set NAME=VALUE]...\n"
		"  --list            print the cases, one a line, and run nothing\n"
		"  --case GLOB       run only the cases that match (repeatable)\n"
		"  --seed N          start of the random numbers; printed by every failure\n"
		"  --set NAME=VALUE  an option of this test; see the head of its source; of many:\n"
		"                    tries=P (P percent of the tries of what shows only now and\n"
		"                    then), known_bugs=1 (what is stepped around fails)\n"
		"  --help            this text\n"
		"Environment: KVM_TEST_TIMEOUT_MUL=N multiplies every deadline.\n"
		"Exit status: 0 all passed, 1 a case failed, 4 all skipped, 2 bad usage.\n",
		test->name);
	exit(to == stdout ? 0 : 2);
}

static void set_option(const struct kvm_test *test, const char *arg)
{
	const char *eq = strchr(arg, '=');
	char name[64];
	size_t i, n;

	n = snprintf(name, sizeof(name), "KVM_TEST_%.*s",
		     (int)(eq ? eq - arg : 0), arg);
	if (!eq || eq == arg || n >= sizeof(name)) {
		fprintf(stderr, "%s: --set wants NAME=VALUE, got '%s'\n",
			test->name, arg);
		exit(2);
	}
	for (i = 0; name[i]; i++)
		name[i] = toupper((unsigned char)name[i]);
	setenv(name, eq + 1, 1);
}

uint64_t kvm_test_option(const char *name, uint64_t def)
{
	char env[64], *end;
	const char *text;
	uint64_t value;
	size_t i;

	snprintf(env, sizeof(env), "KVM_TEST_%s", name);
	for (i = 0; env[i]; i++)
		env[i] = toupper((unsigned char)env[i]);
	text = getenv(env);
	if (!text)
		return def;
	errno = 0;
	value = strtoull(text, &end, 0);
	TEST_ERROR_ON(errno || end == text || *end,
		      "option %s wants a number, got '%s'", name, text);
	return value;
}

static uint64_t parse_seed(const struct kvm_test *test, const char *text)
{
	char *end;
	uint64_t seed = strtoull(text, &end, 0);

	if (end == text || *end) {
		fprintf(stderr, "%s: --seed wants a number, got '%s'\n",
			test->name, text);
		exit(2);
	}
	return seed;
}

void kvm_test_parse_options(const struct kvm_test *test, int argc, char **argv,
			    struct kvm_test_options *opts)
{
	int i;

	case_context.seed = time(NULL) ^ ((uint64_t)getpid() << 32);
	for (i = 1; i < argc; i++) {
		const char *opt = argv[i], *arg = argv[i + 1];

		if (!strcmp(opt, "--help") || !strcmp(opt, "-h"))
			usage(test, stdout);
		if (!strcmp(opt, "--list")) {
			opts->list = true;
			continue;
		}
		if (!arg) {
			fprintf(stderr, "%s: bad option or missing argument: %s\n",
				test->name, opt);
			usage(test, stderr);
		}
		i++;
		if (!strcmp(opt, "--case") &&
		    opts->nr_cases < ARRAY_SIZE(opts->cases)) {
			opts->cases[opts->nr_cases++] = arg;
		} else if (!strcmp(opt, "--seed")) {
			case_context.seed = parse_seed(test, arg);
		} else if (!strcmp(opt, "--set")) {
			set_option(test, arg);
		} else {
			fprintf(stderr, "%s: bad option: %s\n", test->name, opt);
			usage(test, stderr);
		}
	}
}

unsigned int test_tries(unsigned int n)
{
	uint64_t percent = kvm_test_option("tries", 100);

	return (n * percent + 99) / 100 ?: 1;
}

bool kvm_test_case_selected(const struct kvm_test_options *opts, const char *name)
{
	unsigned int i;

	for (i = 0; i < opts->nr_cases; i++) {
		if (!fnmatch(opts->cases[i], name, 0))
			return true;
	}
	return !opts->nr_cases;
}
