// SPDX-License-Identifier: GPL-2.0-only
/* The ways a VMM dies, see include/dying.h. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dying.h"
#include "test_internal.h"
#include "vmm.h"

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

static void die_run_mapping_last(struct kvm_vm *vm)
{
	uint32_t i, reason[KVM_MAX_TEST_VCPUS];

	for (i = 0; i < vm->nr_vcpus; i++) {
		reason[i] = vm->vcpus[i]->run->exit_reason;
		close_fd(&vm->vcpus[i]->fd);
	}
	close_vm(vm);
	/* Each mapping of kvm_run holds its vCPU, and with that the VM. */
	for (i = 0; i < vm->nr_vcpus; i++)
		TEST_ASSERT_EQ(*(volatile uint32_t *)&vm->vcpus[i]->run->exit_reason,
			       reason[i]);
}

static void set_cloexec(struct kvm_vm *vm, int flag)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++)
		fcntl(vm->vcpus[i]->fd, F_SETFD, flag);
	fcntl(vm->fd, F_SETFD, flag);
}

/* Any program that ends soon will do. */
static void exec_something(void)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDOUT_FILENO);
	execl("/proc/self/exe", "self", "--help", (char *)NULL);
	_exit(CASE_EXIT_FAIL);
}

static void die_exec(struct kvm_vm *vm)
{
	set_cloexec(vm, FD_CLOEXEC);
	exec_something();
}

/* The new program has the fds of a VM whose address space is gone. */
static void die_exec_keeps_fds(struct kvm_vm *vm)
{
	set_cloexec(vm, 0);
	exec_something();
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
	[VM_DEATH_RUN_MAPPING_LAST] = { "run_mapping_last", die_run_mapping_last },
	[VM_DEATH_EXEC] = { "exec", die_exec },
	[VM_DEATH_EXEC_KEEPS_FDS] = { "exec_keeps_fds", die_exec_keeps_fds },
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

struct child {
	enum vm_death how;
	struct kvm_vm *(*live)(void *arg);
	void *arg;
};

static void child_main(void *arg, int sock)
{
	struct child *child = arg;

	(void)sock;
	/* The parent's VMs are not this process's to run or to dump. */
	case_context.vms = NULL;
	vm_die(child->live(child->arg), child->how);
}

void vm_die_in_child(enum vm_death how, struct kvm_vm *(*live)(void *arg),
		     void *arg)
{
	struct child child = { .how = how, .live = live, .arg = arg };
	struct vmm vmm;
	char name[64];

	snprintf(name, sizeof(name), "VMM that dies by %s", vm_death_name(how));
	vmm_start(&vmm, name, child_main, &child);
	vmm_wait(&vmm, how == VM_DEATH_SIGKILL);
}
