// SPDX-License-Identifier: GPL-2.0-only
/* VMMs in processes of their own, see include/vmm.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fd_passing.h"
#include "test_internal.h"
#include "vmm.h"

#define DEATH_SECONDS	10
#define ANSWER_SECONDS	10
#define GONE_SECONDS	3

static int poll_in(int fd, unsigned int seconds)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	do {
		r = poll(&pfd, 1, seconds * 1000);
	} while (r < 0 && errno == EINTR);
	return r;
}

void vmm_start(struct vmm *vmm, const char *name,
	       void (*main)(void *arg, int sock), void *arg)
{
	int socks[2];

	memset(vmm, 0, sizeof(*vmm));
	vmm->name = name;
	TEST_ERROR_ON(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) ||
		      prctl(PR_SET_CHILD_SUBREAPER, 1), "cannot set a VMM up");
	fflush(stdout);
	vmm->pid = fork();
	TEST_ERROR_ON(vmm->pid < 0, "cannot fork a VMM");
	if (!vmm->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(socks[0]);
		main(arg, socks[1]);
		fflush(stdout);
		_exit(CASE_EXIT_PASS);
	}
	close(socks[1]);
	vmm->sock = socks[0];
}

void vmm_say(int sock, char c)
{
	/* A peer that is dead already shows when it is waited for. */
	if (send(sock, &c, 1, MSG_NOSIGNAL) < 0)
		TEST_ERROR_ON(errno != EPIPE && errno != ECONNRESET, "send");
}

void vmm_expect(int sock, char c)
{
	char got = 0;

	TEST_ASSERT_ORACLE(ORACLE_HANG, poll_in(sock, test_seconds(ANSWER_SECONDS)) > 0,
			   "the other process has not said '%c' after %u seconds",
			   c, test_seconds(ANSWER_SECONDS));
	/* At the end of file its own words are the reason; see process_wait(). */
	if (recv(sock, &got, 1, 0) == 1)
		TEST_ERROR_ON(got != c, "the other process said '%c', not '%c'",
			      got, c);
}

void vmm_say_ready(int sock, struct kvm_vm *vm)
{
	char name[32];

	snprintf(name, sizeof(name), "%d-%d", getpid(), vm->fd);
	TEST_ERROR_ON(send(sock, name, sizeof(name), MSG_NOSIGNAL) < 0, "send");
}

void vmm_wait_ready(struct vmm *vmm)
{
	char name[32] = "";

	TEST_ASSERT_ORACLE(ORACLE_HANG,
			   poll_in(vmm->sock, test_seconds(ANSWER_SECONDS)) > 0,
			   "%s is not ready after %u seconds", vmm->name,
			   test_seconds(ANSWER_SECONDS));
	if (recv(vmm->sock, name, sizeof(name), 0) != sizeof(name)) {
		process_wait(vmm->pid, vmm->name);
		test_fail(ORACLE_ERROR, __FILE__, __LINE__, NULL,
			  "%s ended before it was ready", vmm->name);
	}
	snprintf(vmm->vm_dir, sizeof(vmm->vm_dir), "/sys/kernel/debug/kvm/%s", name);
	/* As an ordinary user, or in a PID namespace, there is nothing to see. */
	if (access(vmm->vm_dir, F_OK))
		vmm->vm_dir[0] = 0;
}

int vmm_receive_fd(int sock)
{
	int fd = -1;

	if (poll_in(sock, test_seconds(ANSWER_SECONDS)) > 0)
		fd = receive_fd(sock);
	TEST_ERROR_ON(fd < 0, "no fd came");
	return fd;
}

void vmm_kill(struct vmm *vmm)
{
	kill(vmm->pid, SIGKILL);
}

int process_wait(pid_t pid, const char *name)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), status = 0, r;

	TEST_ERROR_ON(pidfd < 0, "pidfd_open");
	r = poll_in(pidfd, test_seconds(DEATH_SECONDS));
	close(pidfd);
	TEST_ASSERT_ORACLE(ORACLE_HANG, r > 0, "%s: no end after %u seconds", name,
			   test_seconds(DEATH_SECONDS));
	TEST_ERROR_ON(waitpid(pid, &status, 0) != pid, "waitpid");
	/* What it printed was the reason, so nothing is added to it. */
	if (WIFEXITED(status) && (WEXITSTATUS(status) == CASE_EXIT_FAIL ||
				  WEXITSTATUS(status) == CASE_EXIT_SKIP))
		_exit(WEXITSTATUS(status));
	return status;
}

void vmm_wait(struct vmm *vmm, bool killed)
{
	int status = process_wait(vmm->pid, vmm->name);

	close(vmm->sock);
	vmm->sock = -1;
	vmm->pid = 0;
	TEST_ASSERT_ORACLE(ORACLE_EXIT, killed ?
			   WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL :
			   WIFEXITED(status) && !WEXITSTATUS(status),
			   "%s: want %s, got wait status 0x%x", vmm->name,
			   killed ? "death by SIGKILL" : "exit(0)", status);
}

void vmm_expect_there(const struct vmm *vmm, const char *holder)
{
	TEST_ASSERT(!vmm->vm_dir[0] || !access(vmm->vm_dir, F_OK),
		    "%s is gone, but %s still holds its VM", vmm->vm_dir, holder);
}

void vmm_expect_gone(const struct vmm *vmm, const char *last)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (vmm->vm_dir[0] && !access(vmm->vm_dir, F_OK)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		TEST_ASSERT_ORACLE(ORACLE_LEAK, now.tv_sec - start.tv_sec <=
				   (time_t)test_seconds(GONE_SECONDS),
				   "%s is still there, though %s was the last to hold its VM",
				   vmm->vm_dir, last);
		usleep(2000);
	}
}

void vmm_expect_foreign(int vm_fd, int vcpu_fd)
{
	struct kvm_userspace_memory_region region = { .slot = 500 };
	struct kvm_regs regs;

	TEST_ASSERT_ERRNO(ioctl(vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS), EIO,
			  "KVM_CHECK_EXTENSION in another address space");
	TEST_ASSERT_ERRNO(ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region), EIO,
			  "KVM_SET_USER_MEMORY_REGION in another address space");
	TEST_ASSERT_ERRNO(ioctl(vm_fd, KVM_CREATE_VCPU, 14UL), EIO,
			  "KVM_CREATE_VCPU in another address space");
	TEST_ASSERT_ERRNO(ioctl(vcpu_fd, KVM_RUN, NULL), EIO,
			  "KVM_RUN in another address space");
	TEST_ASSERT_ERRNO(ioctl(vcpu_fd, KVM_GET_REGS, &regs), EIO,
			  "KVM_GET_REGS in another address space");
}

void stats_fd_expect_nothing_mapped(int stats_fd)
{
	int64_t value;
	size_t i;

	for (i = 0; i < NR_MAPPING_STATS; i++) {
		if (stats_fd_read(stats_fd, mapping_stats[i], &value))
			TEST_ASSERT_ORACLE(ORACLE_STATS, !value,
					   "the address space is gone, but %s is %ld",
					   mapping_stats[i], value);
	}
}
