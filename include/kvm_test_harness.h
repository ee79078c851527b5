/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's selftest harness, with a KVM case in each TEST_F():
 *
 *	KVM_TEST_SUITE(mmio_gap_test, .needs = { ... }, .fixes = ...);
 *	KVM_TEST(reads_exit, .huge_2m = 1) { ... }
 *	KVM_TEST_MAIN()
 *
 * With variants, declare FIXTURE_VARIANT() and FIXTURE_VARIANT_ADD() of a
 * KVM_FIXTURE(name) and write KVM_TEST_F(name, case) { ... variant->x ... }.
 *
 * The harness's child becomes the supervisor of the case (lib/oracle/case.c);
 * the body runs in a child of its own, so that the oracles outlive the VM.
 */
#ifndef SELFTEST_KVM_KVM_TEST_HARNESS_H
#define SELFTEST_KVM_KVM_TEST_HARNESS_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "kvm_test.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall.h"

/* The case's own watchdog ends it; this one is only there if that one breaks. */
#define KVM_HARNESS_TIMEOUT	7200

#define KVM_TEST_SUITE(suite_name, ...)					\
	static const struct kvm_test kvm_test = {			\
		.name = #suite_name, ##__VA_ARGS__			\
	}

#define FIXES(...)	((const char *const[]){ __VA_ARGS__, NULL })

#define KVM_FIXTURE(fixture_name)					\
	FIXTURE(fixture_name) { int unused; };				\
	FIXTURE_SETUP(fixture_name) { (void)self; }			\
	FIXTURE_TEARDOWN(fixture_name) { (void)self; }

static inline void kvm_case_name(const struct __test_metadata *t,
				 const void *variant, char *buf, size_t size)
{
	const struct __fixture_variant_metadata *v = t->fixture->variant;

	while (v && v->data != variant)
		v = v->next;
	snprintf(buf, size, "%s%s%s.%s", t->fixture->name, v ? "." : "",
		 v ? v->name : "", t->name);
}

/* The variadic part initialises a struct kvm_needs of this case. */
#define KVM_TEST_F(fixture_name, test_name, ...)			\
	static void fixture_name##_##test_name##_body(			\
		const FIXTURE_VARIANT(fixture_name) *variant);		\
	/* Here, where a compound literal (NEED_CAPS) is static. */	\
	static const struct kvm_needs fixture_name##_##test_name##_needs = { \
		__VA_ARGS__						\
	};								\
	static void fixture_name##_##test_name##_run(const void *v)	\
	{								\
		fixture_name##_##test_name##_body(v);			\
	}								\
	TEST_F_TIMEOUT(fixture_name, test_name, KVM_HARNESS_TIMEOUT)	\
	{								\
		char name[256], reason[CASE_REASON_SIZE] = "";		\
		enum kvm_case_result result;				\
									\
		(void)self;						\
		kvm_case_name(_metadata, variant, name, sizeof(name));	\
		result = kvm_case_run(&kvm_test,				\
				      &fixture_name##_##test_name##_needs, name, \
				      fixture_name##_##test_name##_run,	\
				      variant, reason);			\
		if (result == CASE_SKIP)				\
			SKIP(return, "%s", reason);			\
		if (result != CASE_PASS)				\
			_exit(CASE_FAIL);				\
	}								\
	static void fixture_name##_##test_name##_body(			\
		const FIXTURE_VARIANT(fixture_name)			\
			__attribute__((unused)) *variant)

/* A test with variants only has no use for the plain fixture. */
#pragma GCC diagnostic ignored "-Wunused-function"
FIXTURE_VARIANT(kvm) { int unused; };
KVM_FIXTURE(kvm)
#define KVM_TEST(test_name, ...)	KVM_TEST_F(kvm, test_name, ##__VA_ARGS__)

/* Defined by the test's KVM_TEST_SUITE(). */
static const struct kvm_test kvm_test;

static inline bool kvm_test_wanted(const struct kvm_test_options *opts,
				   const struct __fixture_metadata *f,
				   const struct __fixture_variant_metadata *v,
				   const struct __test_metadata *t)
{
	char name[256];

	snprintf(name, sizeof(name), "%s%s%s.%s", f->name, v ? "." : "",
		 v ? v->name : "", t->name);
	return kvm_test_case_selected(opts, name);
}

/* Takes the variants and the cases that --case does not name out of @f. */
static inline void kvm_test_prune(const struct kvm_test_options *opts,
				  struct __fixture_metadata *f)
{
	struct __fixture_variant_metadata **vl = &f->variant, *v;
	struct __test_metadata **tl = &f->tests, *t;
	bool keep;

	while (*vl) {
		for (keep = false, t = f->tests; t; t = t->next)
			keep |= kvm_test_wanted(opts, f, *vl, t);
		if (keep)
			vl = &(*vl)->next;
		else
			*vl = (*vl)->next;
	}
	while (*tl) {
		keep = !f->variant && kvm_test_wanted(opts, f, NULL, *tl);
		for (v = f->variant; v; v = v->next)
			keep |= kvm_test_wanted(opts, f, v, *tl);
		if (keep)
			tl = &(*tl)->next;
		else
			*tl = (*tl)->next;
	}
}

/* Applies --case to the harness's lists; returns how many cases are left. */
static inline unsigned int kvm_test_select(const struct kvm_test_options *opts)
{
	struct __fixture_variant_metadata *v;
	struct __fixture_metadata *f;
	struct __test_metadata *t;
	unsigned int nr = 0;

	for (f = __fixture_list; f; f = f->next) {
		kvm_test_prune(opts, f);
		v = f->variant;
		do {
			for (t = f->tests; t; t = t->next, nr++) {
				if (opts->list)
					printf("%s%s%s.%s\n", f->name, v ? "." : "",
					       v ? v->name : "", t->name);
			}
		} while (v && (v = v->next));
	}
	return nr;
}

/*
 * The harness exits 0 when every case was skipped; a skip is not a pass, so
 * that becomes KSFT_SKIP.
 */
static inline void kvm_test_exit_status(void)
{
	if (!ksft_get_pass_cnt() && !ksft_get_fail_cnt() &&
	    !ksft_get_error_cnt() && ksft_get_xskip_cnt()) {
		fflush(NULL);
		_exit(KSFT_SKIP);
	}
}

static inline int kvm_test_main(int argc, char **argv)
{
	struct kvm_test_options opts = {};
	char reason[CASE_REASON_SIZE];

	kvm_test_parse_options(&kvm_test, argc, argv, &opts);
	if (!kvm_test_select(&opts)) {
		fprintf(stderr, "%s: no case matches; --list shows them\n",
			kvm_test.name);
		return 2;
	}
	if (opts.list)
		return KSFT_PASS;
	if (!kvm_host_usable(reason, sizeof(reason)) ||
	    !kvm_needs_met(&kvm_test.needs, reason, sizeof(reason))) {
		printf("TAP version 13\n1..0 # SKIP %s\n", reason);
		return KSFT_SKIP;
	}
	atexit(kvm_test_exit_status);
	kvm_cases_begin();
	return test_harness_run(1, argv);
}

/* Puts kvm_test_main() in front of the harness in the harness's own main(). */
#define test_harness_run(argc, argv)	kvm_test_main(argc, argv)
#define KVM_TEST_MAIN()			TEST_HARNESS_MAIN

#endif /* SELFTEST_KVM_KVM_TEST_HARNESS_H */
