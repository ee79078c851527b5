// SPDX-License-Identifier: GPL-2.0-only
/* The ways a VMM dies, see include/dying.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dying.h"
#include "test_internal.h"

#define DEATH_SECONDS	10

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_vcpus(struct kvm_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		/* The mapping of kvm_run holds the file just as an fd does. */
		if (vm->vcpus[i]->run)
			munmap(vm->vcpus[i]->run, vm->vcpus[i]->run_size);
		vm->vcpus[i]->run = NULL;
		close_fd(&vm->vcpus[i]->fd);
	}
}

static void close_vm(struct kvm_vm *vm)
{
	close_fd(&vm->stats_fd);
	close_fd(&vm->fd);
}

static void die_exit(struct kvm_vm *vm)
{
	(void)vm;
}

static void die_vm_fd_first(struct kvm_vm *vm)
{
	close_vm(vm);
	close_vcpus(vm);
}

static void die_vcpu_fd_first(struct kvm_vm *vm)
{
	close_vcpus(vm);
	close_vm(vm);
}

static void die_slots_first(struct kvm_vm *vm)
{
	while (vm->regions)
		vm_mem_region_delete(vm, vm->regions->slot);
	die_vcpu_fd_first(vm);
}

static void die_munmap_first(struct kvm_vm *vm)
{
	struct userspace_mem_region *r;

	for (r = vm->regions; r; r = r->next)
		munmap(r->mem.hva, r->size);
}

static void die_sigkill(struct kvm_vm *vm)
{
	(void)vm;
	kill(getpid(), SIGKILL);
}

static const struct {
	const char *name;
	void (*die)(struct kvm_vm *vm);
} deaths[NR_VM_DEATHS] = {
	[VM_DEATH_EXIT] = { "exit", die_exit },
	[VM_DEATH_VM_FD_FIRST] = { "vm_fd_first", die_vm_fd_first },
	[VM_DEATH_VCPU_FD_FIRST] = { "vcpu_fd_first", die_vcpu_fd_first },
	[VM_DEATH_SLOTS_FIRST] = { "slots_first", die_slots_first },
	[VM_DEATH_MUNMAP_FIRST] = { "munmap_first", die_munmap_first },
	[VM_DEATH_SIGKILL] = { "sigkill", die_sigkill },
};

const char *vm_death_name(enum vm_death how)
{
	return deaths[how].name;
}

void vm_die(struct kvm_vm *vm, enum vm_death how)
{
	const char *step = case_context.report ? case_context.report->step : "";
	/* The step is what the test said last, not how an earlier VM died. */
	const char *end = strstr(step, "; the VM dies");
	int len = end ? end - step : (int)strlen(step);

	breadcrumb("%.*s; the VM dies: %s", len, step, vm_death_name(how));
	fflush(stdout);
	deaths[how].die(vm);
	_exit(CASE_EXIT_PASS);
}

static void __attribute__((noreturn))
child_process(enum vm_death how, struct kvm_vm *(*live)(void *arg), void *arg)
{
	/* Dead parents are noticed by the supervisor; nobody must survive them. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The parent's VMs are not this process's to run or to dump. */
	case_context.vms = NULL;
	vm_die(live(arg), how);
}

/* What the child printed was the reason, so nothing is added to it. */
static void judge_child(enum vm_death how, int status)
{
	if (WIFEXITED(status) && (WEXITSTATUS(status) == CASE_EXIT_FAIL ||
				  WEXITSTATUS(status) == CASE_EXIT_SKIP))
		_exit(WEXITSTATUS(status));
	if (how == VM_DEATH_SIGKILL)
		TEST_ASSERT_ORACLE(ORACLE_EXIT,
				   WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
				   "VMM: want death by SIGKILL, got wait status 0x%x",
				   status);
	else
		TEST_ASSERT_ORACLE(ORACLE_EXIT,
				   WIFEXITED(status) &&
				   WEXITSTATUS(status) == CASE_EXIT_PASS,
				   "VMM that dies by %s: want exit(0), got wait status 0x%x",
				   vm_death_name(how), status);
}

void vm_die_in_child(enum vm_death how, struct kvm_vm *(*live)(void *arg),
		     void *arg)
{
	struct pollfd pfd = { .events = POLLIN };
	int status = 0, r;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	TEST_ERROR_ON(pid < 0, "cannot fork a VMM");
	if (!pid)
		child_process(how, live, arg);
	pfd.fd = syscall(SYS_pidfd_open, pid, 0);
	TEST_ERROR_ON(pfd.fd < 0, "pidfd_open");
	do {
		r = poll(&pfd, 1, test_seconds(DEATH_SECONDS) * 1000);
	} while (r < 0 && errno == EINTR);
	close(pfd.fd);
	TEST_ASSERT_ORACLE(ORACLE_HANG, r > 0,
			   "VMM that dies by %s: no end after %u seconds",
			   vm_death_name(how), test_seconds(DEATH_SECONDS));
	TEST_ERROR_ON(waitpid(pid, &status, 0) != pid, "waitpid");
	judge_child(how, status);
}
