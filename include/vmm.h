/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMM in a process of its own, for tests that look on while it dies, or that
 * hold something of its VM when it is dead. The case's process, which looks on,
 * has no VM itself.
 */
#ifndef SELFTEST_KVM_VMM_H
#define SELFTEST_KVM_VMM_H

#include <sys/types.h>

#include "kvm_util.h"

struct vmm {
	const char *name;	/* for failures */
	pid_t pid;		/* 0 after vmm_wait() */
	int sock;		/* to the VMM; -1 after vmm_wait() */
	char vm_dir[64];	/* the VM's in debugfs; "" where there is none */
};

/*
 * Forks a process that calls @main(@arg, sock). What it forks in turn becomes
 * the case's child when it dies. It ends with status 0 when @main returns.
 */
void vmm_start(struct vmm *vmm, const char *name,
	       void (*main)(void *arg, int sock), void *arg);

/* In the VMM: tells that @vm is ready. In the case: waits for that. */
void vmm_say_ready(int sock, struct kvm_vm *vm);
void vmm_wait_ready(struct vmm *vmm);

/* A byte from one side to the other; the VMM's death is not ours. */
void vmm_say(int sock, char c);
void vmm_expect(int sock, char c);

/* What the VMM sent with send_fd(); the case waits for it. */
int vmm_receive_fd(int sock);

void vmm_kill(struct vmm *vmm);

/*
 * Waits for the process @pid and returns its status. Too late is a hang; a
 * failure or a skip in there is the case's.
 */
int process_wait(pid_t pid, const char *name);

/* As above: status 0 or, when @killed, SIGKILL is what must come. */
void vmm_wait(struct vmm *vmm, bool killed);

/*
 * The VM is there as long as somebody holds a piece of it, and gone soon after:
 * its directory in debugfs tells, where it can be seen.
 */
void vmm_expect_there(const struct vmm *vmm, const char *holder);
void vmm_expect_gone(const struct vmm *vmm, const char *last);

/* What a process may do to another's VM and vCPU: nothing, EIO. */
void vmm_expect_foreign(int vm_fd, int vcpu_fd);

/* What is left in the statistics when the VMM's address space is gone: nothing. */
void stats_fd_expect_nothing_mapped(int stats_fd);

#endif /* SELFTEST_KVM_VMM_H */
