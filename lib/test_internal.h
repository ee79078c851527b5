/* SPDX-License-Identifier: GPL-2.0-only */
/* Between lib/ and lib/oracle/: the case that this process runs. */
#ifndef SELFTEST_KVM_LIB_TEST_INTERNAL_H
#define SELFTEST_KVM_LIB_TEST_INTERNAL_H

#include "kvm_test.h"
#include "kvm_util.h"

/* Exit status of the case's process, for its supervisor only. */
enum {
	CASE_EXIT_PASS = 0,
	CASE_EXIT_FAIL = 1,
	CASE_EXIT_SKIP = 4,
};

/* Processes that leave the host as it was, see lib/module_param.c. */
#define CASE_MAX_GUARDIANS	8

/*
 * What the case's process leaves for its supervisor, in shared memory: it must
 * survive the process.
 */
struct case_report {
	char skip_reason[CASE_REASON_SIZE];
	char step[128];			/* last breadcrumb */
	char fault[256];		/* the first thing that went wrong */
	bool body_returned;
	bool short_of_memory;			/* see memory_limit.h */
	pid_t guardians[CASE_MAX_GUARDIANS];
};

/* The one global of the library: one process runs one case. */
struct case_context {
	const char *test;
	const char *name;
	struct case_report *report;
	struct kvm_vm *vms;		/* live VMs, newest first */
	uint64_t seed, random;
};

extern struct case_context case_context;

/* Pages of slot 0 that are as the host gave them: zero, and not yet there. */
gpa_t vm_untouched_pages_alloc(struct kvm_vm *vm, size_t num);

/* The guest's ELF image: room it takes, and loading it into slot 0. */
size_t vm_elf_pages(void);
void vm_elf_load(struct kvm_vm *vm);

/*
 * What holds for every VM at any time; the library calls these before a VM is
 * freed and before its process ends. They fail the case.
 */
void vm_check_stats(struct kvm_vm *vm);
void vm_check_constants(struct kvm_vm *vm);

/*
 * A process of its own calls @fn when the case's and all that it forked are gone, in
 * whatever way. It has @arg as it is now, and none of the case's files.
 */
void when_case_is_gone(void (*fn)(const void *arg), const void *arg);

/* Remembers @text as the reason of the failure, if nothing came before it. */
void note_fault(const char *text);

/* Lines in the journal, if there is one; see journal.c. */
void journal_start(const char *test, const char *name);
void journal_end(const char *test, const char *name,
		 enum kvm_case_result result, const char *reason);

/* Makes SIGQUIT print what each thread is doing; the watchdog sends it. */
void install_hang_dump(void);

/* Remembers the vCPU that the calling thread runs, for the hang dump. */
extern __thread struct kvm_vcpu *current_vcpu;

#endif /* SELFTEST_KVM_LIB_TEST_INTERNAL_H */
