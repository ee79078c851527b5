// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold: however a VMM dies, and whatever its VM has mapped, the process
 * ends in time and the host is as it was.
 *
 * What breaks it: SPTEs that a zap does not recognise (the MMIO SPTE that looked
 * present was found, and the host lost, in mmu_notifier_release()), and work that
 * outlives what it works on. What others hold of a VM is vm_pieces_test.c.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "dying.h"
#include "host_watch.h"
#include "kvm_test_harness.h"
#include "memory_limit.h"
#include "vm_alive.h"
#include "vmm.h"

KVM_TEST_SUITE(vm_teardown_test,
	.needs = { .timeout = 20 },
	.fixes = FIXES(
		"524a1e4e381f KVM: x86/mmu: Don't leak non-leaf SPTEs when zapping all SPTEs"),
);

#define UPDATED_GPA	0x180000000UL
#define UPDATED_SLOT	400
#define WANTED_PAGES	8192UL
#define FEW_PAGES	1024

/* ---- what is alive when the VMM dies ---- */

FIXTURE_VARIANT(alive) {
	struct alive alive;
};
KVM_FIXTURE(alive)

FIXTURE_VARIANT_ADD(alive, mmio) {
	.alive = {
		.npages = 16, .ngaps = 32, .nslots = 1, .nvcpus = 1,
	},
};
FIXTURE_VARIANT_ADD(alive, ram_4k) {
	.alive = { .npages = 128, .nslots = 1, .nvcpus = 1 },
};
FIXTURE_VARIANT_ADD(alive, hugetlb_2m) {
	.alive = {
		.src = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .npages = 1024, .nslots = 1,
		.nvcpus = 1,
	},
};
FIXTURE_VARIANT_ADD(alive, thp_2m) {
	.alive = {
		.src = VM_MEM_SRC_ANONYMOUS_THP, .npages = 1024, .nslots = 1, .nvcpus = 1,
	},
};
FIXTURE_VARIANT_ADD(alive, many_slots) {
	.alive = {
		.npages = 64, .ngaps = 4, .nslots = 64, .nvcpus = 1,
	},
};
FIXTURE_VARIANT_ADD(alive, four_vcpus) {
	.alive = {
		.npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 4,
	},
};
/* What was mapped as 2M is split where it is written to. */
FIXTURE_VARIANT_ADD(alive, dirty_log) {
	.alive = {
		.src = VM_MEM_SRC_ANONYMOUS_THP, .npages = 512, .nslots = 1, .nvcpus = 1,
		.dirty_log = true,
	},
};

FIXTURE_VARIANT_ADD(alive, smm) {
	.alive = {
		.npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 2, .smm = true,
	},
};

/* ---- cases ---- */

KVM_TEST_F(alive, dies_in_each_order)
{
	struct host_watch host;
	enum vm_death how;
	char text[64];

	vm_alive_require(&variant->alive);
	host_watch_start(&host);
	for (how = 0; how < NR_VM_DEATHS; how++) {
		snprintf(text, sizeof(text), "VMM died by %s", vm_death_name(how));
		breadcrumb("%s", text);
		vm_die_in_child(how, vm_alive_create, (void *)&variant->alive);
		host_watch_expect_clean(&host, text);
	}
}

/* One way only: the host clears 1G each time. */
KVM_TEST(dies_with_a_1g_page, .huge_1g = 1)
{
	static const struct alive alive = {
		.src = VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, .npages = SZ_1G / PAGE_SIZE,
		.ntouched = 64, .nslots = 1, .nvcpus = 1,
	};

	breadcrumb("a VMM with a 1G page exits");
	vm_die_in_child(VM_DEATH_EXIT, vm_alive_create, (void *)&alive);
}

/* Returns the number of mappings, each a line of @text. */
static unsigned int read_maps(char *text, size_t size)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t used = 0, i;
	unsigned int nr = 0;
	ssize_t n;

	TEST_ERROR_ON(fd < 0, "/proc/self/maps: %s", strerror(errno));
	while ((n = read(fd, text + used, size - 1 - used)) > 0)
		used += n;
	TEST_ERROR_ON(n < 0 || used == size - 1, "/proc/self/maps is too long to read");
	close(fd);
	text[used] = 0;
	for (i = 0; i < used; i++)
		nr += text[i] == '\n';
	return nr;
}

static void print_new_maps(const char *before, char *now)
{
	char *line, *next;

	for (line = now; *line; line = next + 1) {
		next = strchr(line, '\n');
		*next = 0;
		if (!strstr(before, line))
			pr_info("  new: %s", line);
	}
}

static void come_and_go(int kvm_fd, bool vm_first)
{
	uint64_t identity_map = 0xfeffc000;
	int vm, vcpu;

	vm = ioctl(kvm_fd, KVM_CREATE_VM, 0UL);
	TEST_ERROR_ON(vm < 0, "KVM_CREATE_VM: %s", strerror(errno));
	__assert_ioctl(ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map),
		       KVM_SET_IDENTITY_MAP_ADDR);
	__assert_ioctl(ioctl(vm, KVM_SET_TSS_ADDR, 0xfeffd000UL), KVM_SET_TSS_ADDR);
	__assert_ioctl(ioctl(vm, KVM_CREATE_IRQCHIP, NULL), KVM_CREATE_IRQCHIP);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0UL);
	TEST_ERROR_ON(vcpu < 0, "KVM_CREATE_VCPU: %s", strerror(errno));
	close(vm_first ? vm : vcpu);
	close(vm_first ? vcpu : vm);
}

/*
 * KVM maps memory of its own into a VMM, for the page of the local APIC and for guests
 * that start in real mode. A VMM that goes on gets rid of that with the VM.
 */
KVM_TEST(leaves_no_mappings_in_its_vmm)
{
	static char before_text[SZ_64K], now_text[SZ_64K];
	int kvm_fd = open_kvm_dev_path_or_exit();
	unsigned int i, before, now;

	before = read_maps(before_text, sizeof(before_text));
	for (i = 0; i < 4; i++) {
		breadcrumb("a VM comes and goes, %u", i);
		come_and_go(kvm_fd, i & 1);
		now = read_maps(now_text, sizeof(now_text));
		if (now > before)
			print_new_maps(before_text, now_text);
		TEST_ASSERT_ORACLE(ORACLE_LEAK, now <= before,
				   "%u VMs have come and gone, and left %u mappings in /proc/self/maps",
				   i + 1, now - before);
	}
	close(kvm_fd);
}

static void vmm_in_guest_mode(void *arg, int sock)
{
	struct kvm_vm *vm = vm_alive_create(arg);

	vm_alive_start_vcpus(vm);
	vmm_say_ready(sock, vm);
	pause();
}

/* Slots come, go and change while the vCPUs read from their neighbours. */
static void vmm_updating_slots(void *arg, int sock)
{
	struct kvm_vm *vm = vm_alive_create(arg);
	bool log = false;

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, UPDATED_GPA, UPDATED_SLOT,
				    512, 0);
	vm_alive_start_vcpus(vm);
	vmm_say_ready(sock, vm);
	for (;; log = !log) {
		vm_mem_region_reload(vm, UPDATED_SLOT);
		vm_mem_region_set_flags(vm, VM_ALIVE_RAM_SLOT,
					log ? KVM_MEM_LOG_DIRTY_PAGES : 0);
		vm_mem_region_move(vm, UPDATED_SLOT, UPDATED_GPA + (log ? SZ_2M : 0));
	}
}

static void kill_vmm_once(const struct alive *alive, const char *name,
			  void (*main)(void *arg, int sock))
{
	useconds_t delay = test_random() % 20000;
	struct host_watch host;
	struct vmm vmm;

	vm_alive_require(alive);
	host_watch_start(&host);
	vmm_start(&vmm, name, main, (void *)alive);
	vmm_wait_ready(&vmm);
	breadcrumb("kill %s after %u us", name, delay);
	usleep(delay);
	vmm_kill(&vmm);
	vmm_wait(&vmm, true);
	vmm_expect_gone(&vmm, name);
	host_watch_expect_clean(&host, name);
}

static void kill_vmm(const struct alive *alive, const char *name,
		     void (*main)(void *arg, int sock))
{
	unsigned int i;

	for (i = 0; i < test_tries(1); i++)
		kill_vmm_once(alive, name, main);
}

KVM_TEST_F(alive, killed_in_guest_mode)
{
	kill_vmm(&variant->alive, "VMM in guest mode", vmm_in_guest_mode);
}

KVM_TEST_F(alive, killed_during_memslot_updates)
{
	kill_vmm(&variant->alive, "VMM in memslot updates", vmm_updating_slots);
}

/* Without a main thread, the address space lives on for the vCPUs' threads. */
static void vmm_without_leader(void *arg, int sock)
{
	struct kvm_vm *vm = vm_alive_create(arg);

	vm_alive_start_vcpus(vm);
	vmm_say_ready(sock, vm);
	syscall(SYS_exit, 0);
}

KVM_TEST(killed_without_main_thread)
{
	const struct alive alive = { .npages = 16, .ngaps = 4, .nslots = 1, .nvcpus = 4 };

	kill_vmm(&alive, "VMM without main thread", vmm_without_leader);
}

/* ---- killed for the memory of its guest ---- */

static void guest_want_all(void)
{
	uint64_t i;

	GUEST_SYNC(0);
	for (i = 0; i < WANTED_PAGES; i++)
		guest_write64(UPDATED_GPA + i * PAGE_SIZE, i);
	GUEST_DONE();
}

static void set_oom_score_adj(const char *adj)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	TEST_ERROR_ON(fd < 0 || write(fd, adj, strlen(adj)) < 0, "/proc/self/oom_score_adj: %s",
		      strerror(errno));
	close(fd);
}

static void vmm_wants_all(void *arg, int sock)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	(void)arg;
	set_oom_score_adj("0");
	vm = vm_create_with_one_vcpu(&vcpu, guest_want_all);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, UPDATED_GPA, UPDATED_SLOT,
				    WANTED_PAGES, 0);
	virt_map(vm, UPDATED_GPA, UPDATED_GPA, WANTED_PAGES);
	madvise(addr_gpa2hva(vm, UPDATED_GPA), WANTED_PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	vcpu_expect_sync(vcpu, 0);
	vmm_say_ready(sock, vm);
	vmm_expect(sock, 'g');
	vcpu_expect_done(vcpu);
}

/*
 * Its memory is taken while it is still there, by somebody who may not wait. A page that
 * comes late, by an async page fault, may find nobody left to kill but us.
 */
KVM_TEST(killed_for_its_memory)
{
	struct host_watch host;
	struct memory_limit ml;
	unsigned int i;
	struct vmm vmm;

	memory_limit_create(&ml);
	memory_limit_kills(&ml, true);
	set_oom_score_adj("-1000");
	host_watch_start(&host);
	for (i = 0; i < test_tries(2); i++) {
		vmm_start(&vmm, "VMM that wants too much", vmm_wants_all, NULL);
		vmm_wait_ready(&vmm);
		breadcrumb("a guest wants %lu pages, and there are %u", WANTED_PAGES, FEW_PAGES);
		memory_limit_set(&ml, FEW_PAGES);
		vmm_say(vmm.sock, 'g');
		vmm_wait(&vmm, true);
		memory_limit_lift(&ml);
		vmm_expect_gone(&vmm, "a VMM that wanted too much");
		host_watch_expect_clean(&host, "a VMM was killed for its memory");
	}
	memory_limit_free(&ml);
}

KVM_TEST_MAIN()
