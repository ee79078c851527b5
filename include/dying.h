/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways a VMM dies. What a test makes alive (SPTEs, slots, vCPUs) is torn
 * down by another path of KVM in each of them: mmu_notifier release in
 * exit_mmap(), the last reference to the VM dropped by one fd or another,
 * or memslot deletion.
 */
#ifndef SELFTEST_KVM_DYING_H
#define SELFTEST_KVM_DYING_H

#include "kvm_util.h"

enum vm_death {
	VM_DEATH_EXIT,		/* exit with everything open */
	VM_DEATH_VM_FD_FIRST,	/* VM fd closed, then the vCPUs' */
	VM_DEATH_VCPU_FD_FIRST,	/* the vCPUs' fds closed, then the VM's */
	VM_DEATH_SLOTS_FIRST,	/* memslots deleted, then as VCPU_FD_FIRST */
	VM_DEATH_MUNMAP_FIRST,	/* guest memory unmapped, then exit */
	VM_DEATH_RUN_MAPPING_LAST, /* all fds closed, kvm_run is mapped until the exit */
	VM_DEATH_EXEC,		/* another program, all fds are close-on-exec */
	VM_DEATH_EXEC_KEEPS_FDS, /* another program, which gets them */
	VM_DEATH_SIGKILL,	/* killed with everything open */
	NR_VM_DEATHS,
};

/* "exit", "vm_fd_first", ...: fit for a case's name. */
const char *vm_death_name(enum vm_death how);

/*
 * Dies like this in the process that owns @vm, and does not come back. Adds
 * "the VM dies: <how>" to the last breadcrumb.
 */
void __attribute__((noreturn)) vm_die(struct kvm_vm *vm, enum vm_death how);

/*
 * Runs @live(@arg) in a process of its own, which then dies like @how with the
 * VM that it returned, and waits until that process and its VM are gone. Its
 * failure or skip is the case's; a death that takes too long fails the case.
 */
void vm_die_in_child(enum vm_death how, struct kvm_vm *(*live)(void *arg),
		     void *arg);

/* A fixture with a variant for each death that a VMM of one process can choose. */
#define VM_DEATH_VARIANTS(fixture)						\
	KVM_FIXTURE(fixture)							\
	FIXTURE_VARIANT(fixture) { enum vm_death how; };			\
	FIXTURE_VARIANT_ADD(fixture, exit) { VM_DEATH_EXIT };			\
	FIXTURE_VARIANT_ADD(fixture, vm_fd_first) { VM_DEATH_VM_FD_FIRST };	\
	FIXTURE_VARIANT_ADD(fixture, vcpu_fd_first) { VM_DEATH_VCPU_FD_FIRST };	\
	FIXTURE_VARIANT_ADD(fixture, slots_first) { VM_DEATH_SLOTS_FIRST };	\
	FIXTURE_VARIANT_ADD(fixture, munmap_first) { VM_DEATH_MUNMAP_FIRST };	\
	FIXTURE_VARIANT_ADD(fixture, sigkill) { VM_DEATH_SIGKILL };

#endif /* SELFTEST_KVM_DYING_H */
