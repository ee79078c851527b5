// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold: whoever holds a piece of a VM whose VMM is dead (an fd, a mapping,
 * an eventfd, the VMM's mm), the VM is there, though nobody but its VMM can run it,
 * and the host is as it was once the last piece is given back.
 *
 * What breaks it: references dropped too early, too late or never.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "dirty_ring.h"
#include "dying.h"
#include "fd_passing.h"
#include "host_watch.h"
#include "kvm_test_harness.h"
#include "vm_alive.h"
#include "vmm.h"

KVM_TEST_SUITE(vm_pieces_test,
	.needs = { .timeout = 20 },
	.fixes = FIXES(
		"5f6de5cbebee KVM: Prevent module exit until all VMs are freed",
		"eed3013faa40 KVM: Grab a reference to KVM for VM and vCPU stats file descriptors"),
);

/* ---- fds and mappings ---- */

FIXTURE_VARIANT(held) {
	struct alive alive;
};
KVM_FIXTURE(held)

FIXTURE_VARIANT_ADD(held, mmio) {
	.alive = { .npages = 16, .ngaps = 32, .nslots = 1, .nvcpus = 1 },
};
FIXTURE_VARIANT_ADD(held, thp_2m) {
	.alive = { .src = VM_MEM_SRC_ANONYMOUS_THP, .npages = 1024, .nslots = 1,
		   .nvcpus = 1 },
};
FIXTURE_VARIANT_ADD(held, smm) {
	.alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 2, .smm = true },
};

enum keep { KEEP_FDS, KEEP_KVM_RUN };

struct forking_vmm {
	const struct alive *alive;
	enum keep keep;
	int socks[2];		/* between the case and the VMM's child */
};

static void close_fds(struct kvm_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++)
		close(vm->vcpus[i]->fd);
	if (vm->stats_fd >= 0)
		close(vm->stats_fd);
	close(vm->fd);
	close(vm->kvm_fd);
}

/* The VMM's child has all that the VMM had, but another address space. */
static void holder_main(struct kvm_vm *vm, const struct forking_vmm *f)
{
	const int sock = f->socks[1];
	pid_t pid = getpid();
	unsigned int i;
	char c;

	TEST_ERROR_ON(send(sock, &pid, sizeof(pid), 0) < 0, "send");
	if (f->keep == KEEP_KVM_RUN)
		close_fds(vm);
	while (recv(sock, &c, 1, 0) == 1 && c == 'c') {
		if (f->keep == KEEP_FDS)
			vmm_expect_foreign(vm->fd, vm->vcpus[0]->fd);
		TEST_ASSERT_EQ(vm->vcpus[0]->run->exit_reason,
			       (uint32_t)KVM_EXIT_IO);
		for (i = 0; i < f->alive->npages; i++)
			TEST_ASSERT_EQ(*(uint64_t *)addr_gpa2hva(vm,
					VM_ALIVE_RAM_GPA + i * PAGE_SIZE), vm_alive_word(0, i));
		vmm_say(sock, 'k');
	}
}

static void vmm_that_forks(void *arg, int sock)
{
	const struct forking_vmm *f = arg;
	struct kvm_vm *vm = vm_alive_create((void *)f->alive);
	pid_t pid;

	vmm_say_ready(sock, vm);
	fflush(stdout);
	pid = fork();
	TEST_ERROR_ON(pid < 0, "fork");
	if (!pid) {
		close(sock);
		close(f->socks[0]);
		holder_main(vm, f);
		_exit(0);
	}
	vmm_expect(sock, 'd');
}

static void ask_holder(int sock)
{
	vmm_say(sock, 'c');
	vmm_expect(sock, 'k');
}

static void die_before_child(const struct alive *alive, enum keep keep, const char *holder)
{
	struct forking_vmm f = { .alive = alive, .keep = keep };
	struct host_watch host;
	pid_t pid = 0;
	struct vmm vmm;

	vm_alive_require(alive);
	host_watch_start(&host);
	TEST_ERROR_ON(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, f.socks),
		      "socketpair");
	vmm_start(&vmm, "VMM with a child", vmm_that_forks, &f);
	close(f.socks[1]);
	vmm_wait_ready(&vmm);
	TEST_ERROR_ON(recv(f.socks[0], &pid, sizeof(pid), 0) != sizeof(pid), "recv");
	ask_holder(f.socks[0]);

	breadcrumb("the VMM exits, %s has its VM", holder);
	vmm_say(vmm.sock, 'd');
	vmm_wait(&vmm, false);
	vmm_expect_there(&vmm, holder);
	host_watch_expect_module_held(&host, holder);
	ask_holder(f.socks[0]);

	breadcrumb("%s exits", holder);
	vmm_say(f.socks[0], 'q');
	process_wait(pid, holder);
	vmm_expect_gone(&vmm, holder);
	close(f.socks[0]);
}

KVM_TEST_F(held, forked_child_keeps_fds)
{
	die_before_child(&variant->alive, KEEP_FDS, "a forked child with its fds");
}

KVM_TEST_F(held, forked_child_keeps_kvm_run)
{
	die_before_child(&variant->alive, KEEP_KVM_RUN, "a forked child with kvm_run mapped");
}

struct mm_sharer {
	struct kvm_vm *vm;
	int sock;
};

/* Not a thread, and yet it has the VMM's address space, and its fds. */
static int sharer_main(void *arg)
{
	const struct mm_sharer *s = arg;
	pid_t pid = getpid();
	char c;

	TEST_ERROR_ON(send(s->sock, &pid, sizeof(pid), 0) < 0, "send");
	while (recv(s->sock, &c, 1, 0) == 1 && c == 'c') {
		if (!__vcpu_run_for(s->vm->vcpus[0], 20) || errno != EINTR)
			vcpu_unexpected_exit(s->vm->vcpus[0], "a guest that reads for ever");
		TEST_ASSERT_EQ(*(uint64_t *)addr_gpa2hva(s->vm, VM_ALIVE_RAM_GPA), vm_alive_word(0, 0));
		vmm_say(s->sock, 'k');
	}
	_exit(0);
}

static void vmm_that_shares_its_mm(void *arg, int sock)
{
	static struct mm_sharer shared;
	static char stack[SZ_64K] __attribute__((aligned(16)));
	const int *socks = arg;
	const struct alive alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 1 };

	shared.vm = vm_alive_create((void *)&alive);
	shared.sock = socks[1];
	vmm_say_ready(sock, shared.vm);
	TEST_ERROR_ON(clone(sharer_main, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			    &shared) < 0, "clone");
	pause();
}

/* As after vfork(): the VMM is dead, but not its mm, for which the VM goes on. */
KVM_TEST(mm_outlives_its_vmm)
{
	struct host_watch host;
	struct vmm vmm;
	pid_t pid = 0;
	int socks[2];

	host_watch_start(&host);
	TEST_ERROR_ON(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks),
		      "socketpair");
	vmm_start(&vmm, "VMM that shares its mm", vmm_that_shares_its_mm, socks);
	close(socks[1]);
	vmm_wait_ready(&vmm);
	TEST_ERROR_ON(recv(socks[0], &pid, sizeof(pid), 0) != sizeof(pid), "recv");
	ask_holder(socks[0]);
	breadcrumb("kill the VMM, another process has its mm");
	vmm_kill(&vmm);
	vmm_wait(&vmm, true);
	vmm_expect_there(&vmm, "a process with the VMM's mm");
	ask_holder(socks[0]);
	ask_holder(socks[0]);
	breadcrumb("the last process with the mm exits");
	vmm_say(socks[0], 'q');
	process_wait(pid, "a process with the VMM's mm");
	vmm_expect_gone(&vmm, "a process with the VMM's mm");
	close(socks[0]);
	host_watch_expect_clean(&host, "the mm is gone");
}

/* Pieces of a VM that are handed to the case, in this order. */
enum piece { PIECE_VM, PIECE_VCPU, PIECE_DEVICE, PIECE_STATS, PIECE_VCPU_STATS,
	     NR_PIECES };

static const char *const piece_names[NR_PIECES] = {
	"the VM's fd", "a vCPU's fd", "a device's fd", "the VM's stats fd",
	"a vCPU's stats fd",
};

/* -1 for what this kernel does not have. */
static int piece_fd(struct kvm_vm *vm, enum piece piece)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };

	switch (piece) {
	case PIECE_VM: return vm->fd;
	case PIECE_VCPU: return vm->vcpus[0]->fd;
	case PIECE_DEVICE:
		return __vm_ioctl(vm, KVM_CREATE_DEVICE, &device) ? -1 : (int)device.fd;
	case PIECE_STATS: return vm->stats_fd;
	default: return ioctl(vm->vcpus[0]->fd, KVM_GET_STATS_FD, NULL);
	}
}

static void vmm_that_shares(void *arg, int sock)
{
	struct kvm_vm *vm = vm_alive_create(arg);
	enum piece piece;

	vmm_say_ready(sock, vm);
	for (piece = 0; piece < NR_PIECES; piece++) {
		int fd = piece_fd(vm, piece);

		vmm_say(sock, fd < 0 ? 'n' : 'y');
		if (fd >= 0)
			send_fd(sock, fd);
	}
	pause();
}

static void receive_pieces(struct vmm *vmm, int fds[NR_PIECES])
{
	enum piece piece;
	char c;

	for (piece = 0; piece < NR_PIECES; piece++) {
		TEST_ERROR_ON(recv(vmm->sock, &c, 1, 0) != 1, "no piece came");
		fds[piece] = c == 'y' ? vmm_receive_fd(vmm->sock) : -1;
	}
	vmm_expect_foreign(fds[PIECE_VM], fds[PIECE_VCPU]);
}

/* A vCPU's fd can be mapped by whoever has it. */
static void expect_kvm_run(int vcpu_fd)
{
	struct kvm_run *run = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, vcpu_fd, 0);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, run != MAP_FAILED, "cannot map kvm_run");
	TEST_ASSERT_EQ(run->exit_reason, (uint32_t)KVM_EXIT_IO);
	munmap(run, PAGE_SIZE);
}

/* Is one of the fds that are still open another than a statistics fd? */
static bool others_than_stats(const int fds[NR_PIECES])
{
	return fds[PIECE_VM] >= 0 || fds[PIECE_VCPU] >= 0 || fds[PIECE_DEVICE] >= 0;
}

/* Each is the last to hold the VM once. */
static void close_pieces(struct vmm *vmm, int fds[NR_PIECES],
			 const struct host_watch *host, enum piece last_piece)
{
	const char *last = "nobody";
	int i;

	for (i = 1; i <= NR_PIECES; i++) {
		enum piece piece = (last_piece + i) % NR_PIECES;

		if (fds[piece] < 0)
			continue;
		last = piece_names[piece];
		vmm_expect_there(vmm, last);
		/*
		 * Since 6.8 a VM leaves that to the fds, and a statistics fd
		 * has kvm.ko only: in 7.2 rmmod kvm_amd goes through, and the
		 * fd's close() is then lost in what was freed.
		 */
		if (!kernel_at_least(6, 8) || others_than_stats(fds))
			host_watch_expect_module_held(host, last);
		breadcrumb("close %s", last);
		close(fds[piece]);
		fds[piece] = -1;
	}
	vmm_expect_gone(vmm, last);
}

KVM_TEST_F(held, fds_received_over_a_socket)
{
	int fds[NR_PIECES];
	struct host_watch host;
	enum piece last;
	struct vmm vmm;

	vm_alive_require(&variant->alive);
	host_watch_start(&host);
	for (last = 0; last < NR_PIECES; last++) {
		vmm_start(&vmm, "VMM that shares its fds", vmm_that_shares,
			  (void *)&variant->alive);
		vmm_wait_ready(&vmm);
		receive_pieces(&vmm, fds);
		breadcrumb("kill the VMM, its fds are here");
		vmm_kill(&vmm);
		vmm_wait(&vmm, true);

		vmm_expect_foreign(fds[PIECE_VM], fds[PIECE_VCPU]);
		expect_kvm_run(fds[PIECE_VCPU]);
		if (fds[PIECE_STATS] >= 0)
			stats_fd_expect_nothing_mapped(fds[PIECE_STATS]);
		close_pieces(&vmm, fds, &host, last);
		host_watch_expect_clean(&host, "all fds are closed");
	}
}

/* ---- devices and mappings that only some VMs have ---- */

#define RING_BYTES	(DIRTY_RING_MIN * sizeof(struct kvm_dirty_gfn))

/* The child keeps the ring's mapping, which holds the vCPU and the VM. */
static void vmm_with_dirty_ring(void *arg, int sock)
{
	static const struct alive alive = { .npages = 16, .nslots = 1, .nvcpus = 1 };
	volatile struct kvm_dirty_gfn *ring;
	struct kvm_vm *vm = vm_create(1);
	struct kvm_vcpu *vcpu;

	(void)arg;
	dirty_ring_enable(vm, DIRTY_RING_MIN);
	vcpu = vm_vcpu_add(vm, 0, guest_vm_alive);
	ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
		    KVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ring != MAP_FAILED, "cannot map the dirty ring");
	vm_alive_add_memory(vm, &alive);
	vm_mem_region_set_flags(vm, VM_ALIVE_RAM_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_args_set(vcpu, 4, 0UL, VM_ALIVE_RAM_GVA, (uint64_t)alive.npages, 0UL);
	vcpu_run_alive(vcpu);

	vmm_say_ready(sock, vm);
	vmm_expect(sock, 'u');
	munmap(vcpu->run, vcpu->run_size);
	close_fds(vm);
	vmm_say(sock, 'k');
	vmm_expect(sock, 'd');
	TEST_ASSERT(ring[0].slot == VM_ALIVE_RAM_SLOT && ring[0].offset == 0 && ring[0].flags & 1,
		    "the ring's first entry is slot %u offset 0x%llx flags 0x%x",
		    ring[0].slot, ring[0].offset, ring[0].flags);
}

KVM_TEST(dirty_ring_mapping_outlives_fds,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_DIRTY_LOG_RING)))
{
	struct host_watch host;
	struct vmm vmm;

	host_watch_start(&host);
	vmm_start(&vmm, "VMM with a dirty ring", vmm_with_dirty_ring, NULL);
	vmm_wait_ready(&vmm);
	breadcrumb("close all but the dirty ring");
	vmm_say(vmm.sock, 'u');
	vmm_expect(vmm.sock, 'k');
	vmm_expect_there(&vmm, "the mapping of a dirty ring");
	host_watch_expect_module_held(&host, "the mapping of a dirty ring");
	vmm_say(vmm.sock, 'd');
	vmm_wait(&vmm, false);
	vmm_expect_gone(&vmm, "the mapping of a dirty ring");
}

enum { EVENT_IRQ, EVENT_RESAMPLED, EVENT_RESAMPLE, EVENT_IO, NR_EVENTS };

static void vmm_with_eventfds(void *arg, int sock)
{
	const struct alive alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 1 };
	struct kvm_vm *vm = vm_alive_create((void *)&alive);
	int fds[NR_EVENTS], i;

	for (i = 0; i < NR_EVENTS; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm_ioctl(vm, KVM_IRQFD, (&(struct kvm_irqfd){
		.fd = fds[EVENT_IRQ], .gsi = 5 }));
	vm_ioctl(vm, KVM_IRQFD, (&(struct kvm_irqfd){
		.fd = fds[EVENT_RESAMPLED], .gsi = 6,
		.flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = fds[EVENT_RESAMPLE] }));
	vm_ioctl(vm, KVM_IOEVENTFD, (&(struct kvm_ioeventfd){
		.fd = fds[EVENT_IO], .addr = VM_ALIVE_GAP_GPA + SZ_1M, .len = 4 }));
	vmm_say_ready(sock, vm);
	for (i = 0; i < NR_EVENTS; i++)
		send_fd(sock, fds[i]);
	vmm_expect(sock, 'd');
	vm_die(vm, *(enum vm_death *)arg);
}

static _Atomic bool stop_signalling;

static void *signal_eventfds(void *arg)
{
	const int *fds = arg;
	uint64_t one = 1;

	while (!stop_signalling) {
		if (write(fds[EVENT_IRQ], &one, sizeof(one)) < 0 ||
		    write(fds[EVENT_RESAMPLED], &one, sizeof(one)) < 0)
			break;
	}
	return NULL;
}

/* The eventfd is a plain one again: what is written stays there to be read. */
static void expect_plain_eventfd(int fd)
{
	uint64_t n = 7, got = 0;

	while (read(fd, &got, sizeof(got)) > 0)
		;
	TEST_ERROR_ON(write(fd, &n, sizeof(n)) != sizeof(n), "write to an eventfd");
	usleep(1000);
	TEST_ASSERT(read(fd, &got, sizeof(got)) == sizeof(got) && got == n,
		    "an eventfd of a dead VM: wrote %lu, read %lu", n, got);
}

KVM_TEST(eventfds_outlive_the_vm)
{
	/* The orders in which the VM's fd, whose release stops irqfds, may go. */
	static enum vm_death deaths[] = {
		VM_DEATH_EXIT, VM_DEATH_VM_FD_FIRST, VM_DEATH_VCPU_FD_FIRST,
		VM_DEATH_RUN_MAPPING_LAST, VM_DEATH_SIGKILL,
	};
	struct host_watch host;
	int fds[NR_EVENTS], i;
	pthread_t thread;
	struct vmm vmm;
	size_t d;

	host_watch_start(&host);
	for (d = 0; d < ARRAY_SIZE(deaths); d++) {
		enum vm_death how = deaths[d];

		vmm_start(&vmm, vm_death_name(how), vmm_with_eventfds,
			  &deaths[d]);
		vmm_wait_ready(&vmm);
		for (i = 0; i < NR_EVENTS; i++)
			fds[i] = vmm_receive_fd(vmm.sock);
		breadcrumb("signal irqfds while the VM dies: %s", vm_death_name(how));
		stop_signalling = false;
		TEST_ERROR_ON(pthread_create(&thread, NULL, signal_eventfds, fds),
			      "pthread_create");
		vmm_say(vmm.sock, 'd');
		vmm_wait(&vmm, how == VM_DEATH_SIGKILL);
		vmm_expect_gone(&vmm, "its VMM");
		stop_signalling = true;
		pthread_join(thread, NULL);
		for (i = 0; i < NR_EVENTS; i++) {
			expect_plain_eventfd(fds[i]);
			close(fds[i]);
		}
		host_watch_expect_clean(&host, vm_death_name(how));
	}
}

/* ---- debugfs ---- */

#define DEBUGFS	"/sys/kernel/debug"

/* What is in the directory of the VM with this fd is there, and nowhere above. */
static void expect_no_strays(int vm_fd)
{
	char path[512];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), DEBUGFS "/kvm/%d-%d", getpid(), vm_fd);
	dir = opendir(path);
	__TEST_REQUIRE(dir, "cannot read %s: needs root and debugfs, mounted there", path);
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), DEBUGFS "/%s", d->d_name);
		TEST_ASSERT_ORACLE(ORACLE_LEAK, access(path, F_OK),
				   "%s belongs into the directory of a VM", path);
	}
	closedir(dir);
}

/* A VM that a vCPU holds has given its fd, and so its name, to another one. */
KVM_TEST(two_vms_of_one_name, .privileged = true)
{
	int kvm_fd = open_kvm_dev_path_or_exit(), vm_fd[2], vcpu_fd[2];
	unsigned int round;

	for (round = 0; round < 3; round++) {
		vm_fd[0] = ioctl(kvm_fd, KVM_CREATE_VM, 0);
		vcpu_fd[0] = ioctl(vm_fd[0], KVM_CREATE_VCPU, 0);
		close(vm_fd[0]);
		breadcrumb("round %u: a VM with the name of another", round);
		vm_fd[1] = ioctl(kvm_fd, KVM_CREATE_VM, 0);
		vcpu_fd[1] = ioctl(vm_fd[1], KVM_CREATE_VCPU, 1);
		TEST_ERROR_ON(vcpu_fd[0] < 0 || vcpu_fd[1] < 0 || vm_fd[0] != vm_fd[1],
			      "cannot make two VMs with the same fd");
		expect_no_strays(vm_fd[1]);
		close(vcpu_fd[1]);
		close(vm_fd[1]);
		close(vcpu_fd[0]);
	}
	close(kvm_fd);
}

KVM_TEST_MAIN()
