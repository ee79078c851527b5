// SPDX-License-Identifier: GPL-2.0-only
/* A thread per vCPU, kicks, and what a hung case prints of its threads. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "test_internal.h"

__thread struct kvm_vcpu *current_vcpu;

struct thread_start {
	struct kvm_vcpu *vcpu;
	void (*fn)(struct kvm_vcpu *vcpu);
};

static void kick_handler(int sig)
{
	(void)sig;	/* only there to interrupt KVM_RUN */
}

static void *vcpu_thread(void *arg)
{
	struct thread_start start = *(struct thread_start *)arg;

	free(arg);
	current_vcpu = start.vcpu;
	start.fn(start.vcpu);
	return NULL;
}

void vcpu_thread_start(struct kvm_vcpu *vcpu, void (*fn)(struct kvm_vcpu *vcpu))
{
	struct sigaction sa = { .sa_handler = kick_handler };
	struct thread_start *start = malloc(sizeof(*start));

	TEST_ERROR_ON(!start, "no memory for a vCPU thread");
	*start = (struct thread_start){ .vcpu = vcpu, .fn = fn };
	/* No SA_RESTART: KVM_RUN must come back. */
	sigaction(SIGUSR1, &sa, NULL);
	vcpu->stop = false;
	errno = pthread_create(&vcpu->thread, NULL, vcpu_thread, start);
	TEST_ERROR_ON(errno, "cannot start a thread for vCPU %u", vcpu->id);
	vcpu->running = true;
}

void vcpu_kick(struct kvm_vcpu *vcpu)
{
	pthread_kill(vcpu->thread, SIGUSR1);
}

void vcpu_thread_join(struct kvm_vcpu *vcpu)
{
	pthread_join(vcpu->thread, NULL);
	vcpu->running = false;
}

void vcpu_thread_stop(struct kvm_vcpu *vcpu)
{
	struct timespec ts;

	vcpu->stop = true;
	/* A kick may come just before KVM_RUN; so kick until the thread ends. */
	do {
		vcpu_kick(vcpu);
		clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_nsec += 10 * 1000 * 1000;
		if (ts.tv_nsec >= 1000 * 1000 * 1000) {
			ts.tv_nsec -= 1000 * 1000 * 1000;
			ts.tv_sec++;
		}
	} while (pthread_timedjoin_np(vcpu->thread, NULL, &ts));
	vcpu->running = false;
}

int __vcpu_run_for(struct kvm_vcpu *vcpu, unsigned int ms)
{
	const struct sigaction sa = { .sa_handler = kick_handler };
	const uint64_t us = ms * 1000ULL * timeout_multiplier();
	const struct timeval tv = { us / 1000000, us % 1000000 };
	/* Again and again: the first signal may come before KVM_RUN. */
	const struct itimerval timer = { .it_interval = tv, .it_value = tv };
	const struct itimerval off = {};
	int ret, err;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	ret = __vcpu_run(vcpu);
	err = errno;
	setitimer(ITIMER_REAL, &off, NULL);
	errno = err;
	return ret;
}

/*
 * The signal has taken the thread out of KVM_RUN, so its vCPU's registers can
 * be read here; ioctl() and snprintf() of integers are safe enough for a
 * process that is about to be killed.
 */
static void hang_handler(int sig)
{
	struct kvm_vcpu *vcpu = current_vcpu;
	char line[256];
	struct kvm_regs regs;
	int n;

	(void)sig;
	if (!vcpu || vcpu->fd < 0 || ioctl(vcpu->fd, KVM_GET_REGS, &regs))
		n = snprintf(line, sizeof(line), "# thread %ld: not in a guest\n",
			     syscall(SYS_gettid));
	else
		n = snprintf(line, sizeof(line),
			     "# thread %ld: vCPU %u at rip 0x%llx, rsp 0x%llx, last exit %s\n",
			     syscall(SYS_gettid), vcpu->id, regs.rip, regs.rsp,
			     exit_reason_str(vcpu->run->exit_reason));
	if (write(STDOUT_FILENO, line, n) < 0)
		_exit(CASE_EXIT_FAIL);
	/* For good: the loop around KVM_RUN must not start over. */
	for (;;)
		pause();
}

void install_hang_dump(void)
{
	struct sigaction sa = { .sa_handler = hang_handler };

	sigaction(SIGQUIT, &sa, NULL);
}
