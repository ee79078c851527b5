// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold: however a VMM dies, whatever its VM has mapped, and whoever
 * still holds a piece of it, the process ends in time and the host is as it was
 * once the last piece is given back. Until then the VM is there, though nobody
 * but its VMM can run it.
 *
 * What breaks it: SPTEs that a zap does not recognise (the MMIO SPTE that looked
 * present was found, and the host lost, in mmu_notifier_release()), references
 * dropped too early, too late or never, and work that outlives what it works on.
 * After each case the supervisor looks at the log and for what was left behind;
 * here it is looked at what others hold meanwhile.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "dying.h"
#include "fd_passing.h"
#include "kvm_test_harness.h"
#include "oracle.h"
#include "smm.h"
#include "vmm.h"

KVM_TEST_SUITE(vm_teardown_test,
	.needs = { .timeout = 20 },
	.fixes = FIXES(
		"524a1e4e381f KVM: x86/mmu: Don't leak non-leaf SPTEs when zapping all SPTEs",
		"5f6de5cbebee KVM: Prevent module exit until all VMs are freed"),
);

#define RAM_GPA		0x40000000UL
#define RAM_GVA		0x40000000UL
#define GAP_GPA		0x80000000UL
#define GAP_GVA		0x80000000UL
#define TOP_GVA		0x7e0000000000UL	/* RAM and a gap at the last gfns */
#define RAM_SLOT	1		/* + n, where there are many */
#define TOP_SLOT	300
#define UPDATED_GPA	0x180000000UL
#define UPDATED_SLOT	400

/* ---- guest ---- */

static uint64_t guest_progress[KVM_MAX_TEST_VCPUS];

static uint64_t pattern(uint64_t id, uint64_t page)
{
	return 0x7ead000000000000UL | id << 32 | page;
}

/* Touches all, half of it twice, and then stays in guest mode for good. */
static void guest_touches(uint64_t id, uint64_t ram, uint64_t npages, uint64_t ngaps)
{
	uint64_t i;

	for (i = 0; i < npages; i++)
		guest_write64(ram + i * PAGE_SIZE, pattern(id, i));
	GUEST_SYNC(id);
	for (i = 0; i < npages; i += 2)
		guest_write64(ram + i * PAGE_SIZE, pattern(id, i));
	for (i = 0; i < ngaps; i++)
		guest_read64(GAP_GVA + i * PAGE_SIZE);
	guest_write64(TOP_GVA, pattern(id, 0));
	guest_read64(TOP_GVA + PAGE_SIZE);
	GUEST_SYNC(id);
	for (;; guest_progress[id]++) {
		for (i = 0; i < npages; i++)
			GUEST_ASSERT_EQ(guest_read64(ram + i * PAGE_SIZE),
					pattern(id, i));
	}
}

/* ---- what is alive when the VMM dies ---- */

FIXTURE_VARIANT(alive) {
	enum vm_mem_backing_src_type src;
	unsigned int npages;	/* of RAM for each vCPU */
	unsigned int ngaps;	/* pages of MMIO */
	unsigned int nslots;	/* that RAM is cut into */
	unsigned int nvcpus;
	unsigned int ntouched;	/* of npages, 0: all */
	bool dirty_log;
	bool smm;		/* slots of SMM's, and vCPUs in it */
};
KVM_FIXTURE(alive)

FIXTURE_VARIANT_ADD(alive, mmio) {
	.npages = 16, .ngaps = 32, .nslots = 1, .nvcpus = 1,
};
FIXTURE_VARIANT_ADD(alive, ram_4k) { .npages = 128, .nslots = 1, .nvcpus = 1 };
FIXTURE_VARIANT_ADD(alive, hugetlb_2m) {
	.src = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .npages = 1024, .nslots = 1,
	.nvcpus = 1,
};
FIXTURE_VARIANT_ADD(alive, thp_2m) {
	.src = VM_MEM_SRC_ANONYMOUS_THP, .npages = 1024, .nslots = 1, .nvcpus = 1,
};
FIXTURE_VARIANT_ADD(alive, many_slots) {
	.npages = 64, .ngaps = 4, .nslots = 64, .nvcpus = 1,
};
FIXTURE_VARIANT_ADD(alive, four_vcpus) {
	.npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 4,
};
/* What was mapped as 2M is split where it is written to. */
FIXTURE_VARIANT_ADD(alive, dirty_log) {
	.src = VM_MEM_SRC_ANONYMOUS_THP, .npages = 512, .nslots = 1, .nvcpus = 1,
	.dirty_log = true,
};

FIXTURE_VARIANT_ADD(alive, smm) {
	.npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 2, .smm = true,
};

typedef FIXTURE_VARIANT(alive) alive_t;

static void require_backing(const alive_t *alive)
{
	__TEST_REQUIRE(!alive->smm || kvm_has_cap(KVM_CAP_MULTI_ADDRESS_SPACE),
		       "needs KVM_CAP_MULTI_ADDRESS_SPACE: a kernel with CONFIG_KVM_SMM");
	if (alive->src == VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB)
		__TEST_REQUIRE(hugetlb_free_pages(SZ_2M) >= alive->npages / 512,
			       "needs %u free 2M huge pages, %lu are free",
			       alive->npages / 512, hugetlb_free_pages(SZ_2M));
	if (alive->src == VM_MEM_SRC_ANONYMOUS_THP)
		__TEST_REQUIRE(thp_configured(), "needs transparent huge pages");
}

static void add_memory(struct kvm_vm *vm, const alive_t *alive)
{
	const uint64_t npages = alive->npages * alive->nvcpus;
	const uint64_t slot_pages = npages / alive->nslots;
	const gpa_t top = (vm->max_gfn - 1) << PAGE_SHIFT;
	unsigned int i;

	for (i = 0; i < alive->nslots; i++)
		vm_userspace_mem_region_add(vm, alive->src,
					    RAM_GPA + i * slot_pages * PAGE_SIZE,
					    RAM_SLOT + i, slot_pages, 0);
	/* 2M leafs, so that the guest's tables do not limit what KVM maps. */
	virt_map_level(vm, RAM_GVA, RAM_GPA,
		       align_up(npages * PAGE_SIZE, SZ_2M), PG_LEVEL_2M);
	virt_map(vm, GAP_GVA, GAP_GPA, alive->ngaps);
	/* A zap of all that stops too early misses what is up there. */
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, top, TOP_SLOT, 1, 0);
	virt_map(vm, TOP_GVA, top, 2);
}

static unsigned int ntouched(const alive_t *alive)
{
	return alive->ntouched ?: alive->npages;
}

/* The same memory, once more. */
static void add_smm_memory(struct kvm_vm *vm)
{
	static const uint32_t slots[] = { RAM_SLOT, TOP_SLOT };
	size_t i;

	vm_smm_init(vm);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		struct userspace_mem_region *r = vm_get_mem_region(vm, slots[i]);

		vm_mem_region_add_backing(vm, &r->mem, r->mem.hva, r->gpa,
					  SMM_SLOT(slots[i]), r->size / PAGE_SIZE, 0);
	}
}

static void run_until_touched(struct kvm_vcpu *vcpu)
{
	do {
		vcpu_run(vcpu);
	} while (vcpu->run->exit_reason == KVM_EXIT_MMIO);
	if (get_ucall(vcpu, NULL) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
}

/* The VM is made by the process that is to die with it. */
static struct kvm_vm *make_alive(void *arg)
{
	const alive_t *alive = arg;
	struct kvm_vcpu *vcpus[KVM_MAX_TEST_VCPUS];
	struct kvm_vm *vm;
	unsigned int i;

	require_backing(alive);
	vm = vm_create_with_vcpus(alive->nvcpus, guest_touches, vcpus);
	add_memory(vm, alive);
	for (i = 0; i < alive->nvcpus; i++) {
		vcpu_args_set(vcpus[i], 4, (uint64_t)i,
			      RAM_GVA + i * alive->npages * PAGE_SIZE,
			      (uint64_t)ntouched(alive), (uint64_t)alive->ngaps);
		run_until_touched(vcpus[i]);
	}
	if (alive->dirty_log)
		vm_mem_region_set_flags(vm, RAM_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	if (alive->smm)
		add_smm_memory(vm);
	for (i = 0; i < alive->nvcpus; i++) {
		if (alive->smm) {
			vcpu_run_complete_io(vcpus[i]);
			vcpu_set_smm(vcpus[i], true);
		}
		run_until_touched(vcpus[i]);
	}
	return vm;
}

/* ---- what others see of it ---- */

static bool leaks_can_be_told;

/* To be called before there is a VM. */
static void remember_host(struct host_state *before)
{
	host_state_read(before, "");
	leaks_can_be_told = before->value[HOST_VMS] == 0;
}

static void expect_host_as_it_was(const struct host_state *before, const char *how)
{
	char text[1024];

	if (leaks_can_be_told && host_state_check(before, test_seconds(3), text,
						  sizeof(text)))
		test_fail(ORACLE_LEAK, __FILE__, __LINE__, NULL, "%s:\n%s", how, text);
}

/* Whatever holds a VM must hold the module whose code is to free it. */
static void expect_module_is_held(const struct host_state *before, const char *how)
{
	struct host_state now;

	if (!leaks_can_be_told)
		return;
	host_state_read(&now, "");
	TEST_ASSERT_ORACLE(ORACLE_LEAK, now.value[HOST_MODULE_REFS] >
			   before->value[HOST_MODULE_REFS],
			   "%s: %ld references to the vendor module, as many as without a VM",
			   how, now.value[HOST_MODULE_REFS]);
}

/* ---- cases: the VMM is the only one ---- */

KVM_TEST_F(alive, dies_in_each_order)
{
	struct host_state before;
	enum vm_death how;
	char text[64];

	require_backing(variant);
	remember_host(&before);
	for (how = 0; how < NR_VM_DEATHS; how++) {
		snprintf(text, sizeof(text), "VMM died by %s", vm_death_name(how));
		breadcrumb("%s", text);
		vm_die_in_child(how, make_alive, (void *)variant);
		expect_host_as_it_was(&before, text);
	}
}

/* One way only: the host clears 1G each time. */
KVM_TEST(dies_with_a_1g_page, .huge_1g = 1)
{
	static const alive_t alive = {
		.src = VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, .npages = SZ_1G / PAGE_SIZE,
		.ntouched = 64, .nslots = 1, .nvcpus = 1,
	};

	breadcrumb("a VMM with a 1G page exits");
	vm_die_in_child(VM_DEATH_EXIT, make_alive, (void *)&alive);
}

static void run_forever(struct kvm_vcpu *vcpu)
{
	while (vcpu_run_unless_stopped(vcpu))
		;
}

static void start_vcpus(struct kvm_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		write_guest_global(vm, guest_progress[i], 0);
		vcpu_thread_start(vm->vcpus[i], run_forever);
	}
	for (i = 0; i < vm->nr_vcpus; i++) {
		while (!read_guest_global(vm, guest_progress[i]))
			usleep(200);
	}
}

static void vmm_in_guest_mode(void *arg, int sock)
{
	struct kvm_vm *vm = make_alive(arg);

	start_vcpus(vm);
	vmm_say_ready(sock, vm);
	pause();
}

/* Slots come, go and change while the vCPUs read from their neighbours. */
static void vmm_updating_slots(void *arg, int sock)
{
	struct kvm_vm *vm = make_alive(arg);
	bool log = false;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, UPDATED_GPA, UPDATED_SLOT,
				    512, 0);
	start_vcpus(vm);
	vmm_say_ready(sock, vm);
	for (;; log = !log) {
		vm_mem_region_reload(vm, UPDATED_SLOT);
		vm_mem_region_set_flags(vm, RAM_SLOT,
					log ? KVM_MEM_LOG_DIRTY_PAGES : 0);
		vm_mem_region_move(vm, UPDATED_SLOT, UPDATED_GPA + (log ? SZ_2M : 0));
	}
}

static void kill_vmm(const alive_t *alive, const char *name,
		     void (*main)(void *arg, int sock))
{
	useconds_t delay = test_random() % 20000;
	struct host_state before;
	struct vmm vmm;

	require_backing(alive);
	remember_host(&before);
	vmm_start(&vmm, name, main, (void *)alive);
	vmm_wait_ready(&vmm);
	breadcrumb("kill %s after %u us", name, delay);
	usleep(delay);
	vmm_kill(&vmm);
	vmm_wait(&vmm, true);
	vmm_expect_gone(&vmm, name);
	expect_host_as_it_was(&before, name);
}

KVM_TEST_F(alive, killed_in_guest_mode)
{
	kill_vmm(variant, "VMM in guest mode", vmm_in_guest_mode);
}

KVM_TEST_F(alive, killed_during_memslot_updates)
{
	kill_vmm(variant, "VMM in memslot updates", vmm_updating_slots);
}

/* Without a main thread, the address space lives on for the vCPUs' threads. */
static void vmm_without_leader(void *arg, int sock)
{
	struct kvm_vm *vm = make_alive(arg);

	start_vcpus(vm);
	vmm_say_ready(sock, vm);
	syscall(SYS_exit, 0);
}

KVM_TEST(killed_without_main_thread)
{
	const alive_t alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 4 };

	kill_vmm(&alive, "VMM without main thread", vmm_without_leader);
}

/* ---- cases: others hold pieces of the VM ---- */

FIXTURE_VARIANT(held) {
	alive_t alive;
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
	const alive_t *alive;
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
					RAM_GPA + i * PAGE_SIZE), pattern(0, i));
		vmm_say(sock, 'k');
	}
}

static void vmm_that_forks(void *arg, int sock)
{
	const struct forking_vmm *f = arg;
	struct kvm_vm *vm = make_alive((void *)f->alive);
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

static void die_before_child(const alive_t *alive, enum keep keep, const char *holder)
{
	struct forking_vmm f = { .alive = alive, .keep = keep };
	struct host_state before;
	pid_t pid = 0;
	struct vmm vmm;

	require_backing(alive);
	remember_host(&before);
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
	expect_module_is_held(&before, holder);
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
		TEST_ASSERT_EQ(*(uint64_t *)addr_gpa2hva(s->vm, RAM_GPA), pattern(0, 0));
		vmm_say(s->sock, 'k');
	}
	_exit(0);
}

static void vmm_that_shares_its_mm(void *arg, int sock)
{
	static struct mm_sharer shared;
	static char stack[SZ_64K] __attribute__((aligned(16)));
	const int *socks = arg;
	const alive_t alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 1 };

	shared.vm = make_alive((void *)&alive);
	shared.sock = socks[1];
	vmm_say_ready(sock, shared.vm);
	TEST_ERROR_ON(clone(sharer_main, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			    &shared) < 0, "clone");
	pause();
}

/* As after vfork(): the VMM is dead, but not its mm, for which the VM goes on. */
KVM_TEST(mm_outlives_its_vmm)
{
	struct host_state before;
	struct vmm vmm;
	pid_t pid = 0;
	int socks[2];

	remember_host(&before);
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
	expect_host_as_it_was(&before, "the mm is gone");
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
	struct kvm_vm *vm = make_alive(arg);
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

static void close_pieces(struct vmm *vmm, int fds[NR_PIECES],
			 const struct host_state *before, bool backwards)
{
	const char *last = "nobody";
	int i;

	for (i = 0; i < NR_PIECES; i++) {
		enum piece piece = backwards ? NR_PIECES - 1 - i : i;

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
			expect_module_is_held(before, last);
		breadcrumb("close %s", last);
		close(fds[piece]);
		fds[piece] = -1;
	}
	vmm_expect_gone(vmm, last);
}

KVM_TEST_F(held, fds_received_over_a_socket)
{
	int fds[NR_PIECES], backwards;
	struct host_state before;
	struct vmm vmm;

	require_backing(&variant->alive);
	remember_host(&before);
	for (backwards = 0; backwards < 2; backwards++) {
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
		close_pieces(&vmm, fds, &before, backwards);
		expect_host_as_it_was(&before, "all fds are closed");
	}
}

/* ---- cases: devices and mappings that only some VMs have ---- */

#define RING_BYTES	PAGE_SIZE

/* The child keeps the ring's mapping, which holds the vCPU and the VM. */
static void vmm_with_dirty_ring(void *arg, int sock)
{
	static const alive_t alive = { .npages = 16, .nslots = 1, .nvcpus = 1 };
	volatile struct kvm_dirty_gfn *ring;
	struct kvm_vm *vm = vm_create(1);
	struct kvm_vcpu *vcpu;

	(void)arg;
	vm_enable_cap(vm, KVM_CAP_DIRTY_LOG_RING, RING_BYTES);
	vcpu = vm_vcpu_add(vm, 0, guest_touches);
	ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd,
		    KVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ring != MAP_FAILED, "cannot map the dirty ring");
	add_memory(vm, &alive);
	vm_mem_region_set_flags(vm, RAM_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	vcpu_args_set(vcpu, 4, 0UL, RAM_GVA, (uint64_t)alive.npages, 0UL);
	run_until_touched(vcpu);

	vmm_say_ready(sock, vm);
	vmm_expect(sock, 'u');
	munmap(vcpu->run, vcpu->run_size);
	close_fds(vm);
	vmm_say(sock, 'k');
	vmm_expect(sock, 'd');
	TEST_ASSERT(ring[0].slot == RAM_SLOT && ring[0].offset == 0 && ring[0].flags & 1,
		    "the ring's first entry is slot %u offset 0x%llx flags 0x%x",
		    ring[0].slot, ring[0].offset, ring[0].flags);
}

KVM_TEST(dirty_ring_mapping_outlives_fds,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_DIRTY_LOG_RING)))
{
	struct host_state before;
	struct vmm vmm;

	remember_host(&before);
	vmm_start(&vmm, "VMM with a dirty ring", vmm_with_dirty_ring, NULL);
	vmm_wait_ready(&vmm);
	breadcrumb("close all but the dirty ring");
	vmm_say(vmm.sock, 'u');
	vmm_expect(vmm.sock, 'k');
	vmm_expect_there(&vmm, "the mapping of a dirty ring");
	expect_module_is_held(&before, "the mapping of a dirty ring");
	vmm_say(vmm.sock, 'd');
	vmm_wait(&vmm, false);
	vmm_expect_gone(&vmm, "the mapping of a dirty ring");
}

enum { EVENT_IRQ, EVENT_RESAMPLED, EVENT_RESAMPLE, EVENT_IO, NR_EVENTS };

static void vmm_with_eventfds(void *arg, int sock)
{
	const alive_t alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 1 };
	struct kvm_vm *vm = make_alive((void *)&alive);
	int fds[NR_EVENTS], i;

	for (i = 0; i < NR_EVENTS; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vm_ioctl(vm, KVM_IRQFD, (&(struct kvm_irqfd){
		.fd = fds[EVENT_IRQ], .gsi = 5 }));
	vm_ioctl(vm, KVM_IRQFD, (&(struct kvm_irqfd){
		.fd = fds[EVENT_RESAMPLED], .gsi = 6,
		.flags = KVM_IRQFD_FLAG_RESAMPLE, .resamplefd = fds[EVENT_RESAMPLE] }));
	vm_ioctl(vm, KVM_IOEVENTFD, (&(struct kvm_ioeventfd){
		.fd = fds[EVENT_IO], .addr = GAP_GPA + SZ_1M, .len = 4 }));
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
	struct host_state before;
	int fds[NR_EVENTS], i;
	pthread_t thread;
	struct vmm vmm;
	size_t d;

	remember_host(&before);
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
		expect_host_as_it_was(&before, vm_death_name(how));
	}
}

KVM_TEST_MAIN()
