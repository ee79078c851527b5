// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host memory that is broken: the page is taken out of use under the guest, and who
 * touches it is told by SIGBUS with its hva, as often as it does. The VMM puts other
 * memory there, and the guest goes on with that; other pages stay what they are.
 *
 * What breaks this: a translation that outlives its page; a fault on the page that
 * is tried for ever, or fails with an errno, or goes to user space as MMIO.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/mman.h>

#include "guest_job.h"
#include "kvm_test_harness.h"
#include "ucall.h"

KVM_TEST_SUITE(hwpoison_test, .needs = { .privileged = true, .mem_mb = 16 });

#define GPA		0x40000000UL
#define SLOT		1
#define CODE_OFFSET	0x800
#define ROUNDS		2

GUEST_INSN(load, "", "mov (%rdi), %rax", "");
GUEST_INSN(store, "mov $0x5707ed, %eax", "mov %rax, (%rdi)", "");
GUEST_INSN(fetch, "lea 0x800(%rdi), %rax", "call *%rax", "");

FIXTURE_VARIANT(access) {
	char *entry;
	enum vm_mem_backing_src_type src;
};
KVM_FIXTURE(access)
FIXTURE_VARIANT_ADD(access, read) { guest_load, VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(access, write) { guest_store, VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(access, fetch) { guest_fetch, VM_MEM_SRC_ANONYMOUS };
FIXTURE_VARIANT_ADD(access, read_thp) { guest_load, VM_MEM_SRC_ANONYMOUS_THP };
FIXTURE_VARIANT_ADD(access, write_thp) { guest_store, VM_MEM_SRC_ANONYMOUS_THP };

/* ---- SIGBUS ---- */

static volatile sig_atomic_t nr_signals;
static siginfo_t last_signal;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	last_signal = *info;
	nr_signals++;
}

/* ---- memory ---- */

/* MOV $number, %eax; RET */
static void fill_page(void *page, uint32_t number)
{
	char *code = (char *)page + CODE_OFFSET;

	*(uint64_t *)page = number;
	memcpy(code, "\xb8....\xc3", 6);
	memcpy(code + 1, &number, 4);
}

static void fill(void *hva, size_t npages)
{
	size_t i;

	for (i = 0; i < npages; i++)
		fill_page((char *)hva + i * PAGE_SIZE, i + 1);
}

static void poison(void *hva)
{
	int ret = madvise(hva, PAGE_SIZE, MADV_HWPOISON);

	__TEST_REQUIRE(!ret || errno != EINVAL, "needs a kernel with CONFIG_MEMORY_FAILURE");
	/* A guest_memfd keeps such a page, and that is EBUSY. */
	TEST_ERROR_ON(ret && errno != EBUSY, "madvise(MADV_HWPOISON)");
}

static void replace(void *hva, uint32_t number)
{
	void *p = mmap(hva, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	TEST_ERROR_ON(p != hva, "mmap() over a page");
	fill_page(hva, number);
}

/* ---- the guest's accesses ---- */

static void set_access(struct kvm_vm *vm, char *entry, gva_t gva)
{
	vm_set_guest_job(vm, &(struct guest_job){ .entry = (gva_t)entry, .gva = gva });
}

static void expect_access(struct kvm_vcpu *vcpu, char *entry, void *hva, uint32_t number,
			  const char *when)
{
	const uint64_t want = entry == guest_store ? 0x5707ed : number;
	struct ucall uc;

	vcpu_run_to_sync(vcpu, &uc);
	TEST_ASSERT(uc.args[0] == 0 && uc.args[1] == want,
		    "%s: want 0x%lx, got 0x%lx, vector %lu", when, want, uc.args[1], uc.args[0]);
	TEST_ASSERT(entry != guest_store || *(uint64_t *)hva == want,
		    "%s: the guest has stored 0x%lx, the host reads 0x%lx", when, want,
		    *(uint64_t *)hva);
}

/* Again and again, until the memory is replaced. */
static void expect_sigbus(struct kvm_vcpu *vcpu, void *hva)
{
	const sig_atomic_t before = nr_signals;
	int ret = __vcpu_run(vcpu), err = errno;

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret == -1 && err == EINTR,
			   "an access to a poisoned page: want SIGBUS and EINTR from KVM_RUN, got %d, errno %d (%s), exit %s, %d signals",
			   ret, err, strerror(err), exit_reason_str(vcpu->run->exit_reason),
			   nr_signals - before);
	TEST_ASSERT(nr_signals == before + 1 && last_signal.si_code == BUS_MCEERR_AR &&
		    last_signal.si_addr == hva && 1UL << last_signal.si_addr_lsb == PAGE_SIZE,
		    "want one SIGBUS, BUS_MCEERR_AR (%d), at hva %p, of a page; got %d, the last with code %d, at %p, of 2^%d bytes",
		    BUS_MCEERR_AR, hva, nr_signals - before, last_signal.si_code,
		    last_signal.si_addr, last_signal.si_addr_lsb);
}

KVM_TEST_F(access, is_told_until_the_page_is_replaced)
{
	const bool thp = variant->src == VM_MEM_SRC_ANONYMOUS_THP;
	const size_t npages = thp ? SZ_2M / PAGE_SIZE : 8, victim = npages / 2;
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	struct backing_mem mem;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int round;
	char *hva;
	gva_t gva;

	__TEST_REQUIRE(kvm_test_option("hwpoison", 0),
		       "takes a page of this machine out of use until it is booted again: --set hwpoison=1 allows that");
	__TEST_REQUIRE(!thp || thp_configured(),
		       "needs transparent huge pages: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
	sigaction(SIGBUS, &sa, NULL);
	vm = vm_create_with_one_vcpu(&vcpu, guest_job_loop);
	backing_mem_alloc(&mem, variant->src, npages * PAGE_SIZE, GPA);
	vm_mem_region_add_backing(vm, &mem, mem.hva, GPA, SLOT, npages, 0);
	fill(mem.hva, npages);
	hva = (char *)mem.hva + victim * PAGE_SIZE;
	gva = vm_map_gpa(vm, GPA, npages * PAGE_SIZE) + victim * PAGE_SIZE;

	for (round = 0; round < ROUNDS; round++) {
		set_access(vm, variant->entry, gva);
		expect_access(vcpu, variant->entry, hva, round ? 1000 : victim + 1, "before");
		breadcrumb("round %u: poison a page of %s", round,
			   vm_mem_backing_src_name(variant->src));
		poison(hva);
		expect_sigbus(vcpu, hva);
		expect_sigbus(vcpu, hva);
		test_step("round %u: the page is replaced", round);
		replace(hva, 1000);
		expect_access(vcpu, variant->entry, hva, 1000, "replaced");
		set_access(vm, guest_load, gva - PAGE_SIZE);
		expect_access(vcpu, guest_load, hva - PAGE_SIZE, victim, "the page before");
		set_access(vm, guest_load, gva + PAGE_SIZE);
		expect_access(vcpu, guest_load, hva + PAGE_SIZE, victim + 2, "the page behind");
	}
	kvm_vm_free(vm);
	backing_mem_free(&mem);
}

/* ---- a guest_memfd ---- */

static void expect_ehwpoison(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	const struct kvm_memory_fault_exit *fault = kvm_run_memory_fault(vcpu->run);
	int ret = __vcpu_run(vcpu), err = errno;

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret == -1 && err == EHWPOISON,
			   "an access to a poisoned page of a guest_memfd: want EHWPOISON from KVM_RUN, got %d, errno %d (%s), exit %s",
			   ret, err, strerror(err), exit_reason_str(vcpu->run->exit_reason));
	TEST_ASSERT_ORACLE(ORACLE_EXIT, vcpu->run->exit_reason == KVM_EXIT_MEMORY_FAULT &&
			   fault->gpa == gpa && fault->size == PAGE_SIZE && !fault->flags,
			   "want KVM_EXIT_MEMORY_FAULT of gpa 0x%lx, a page, flags 0; got %s, gpa 0x%llx size 0x%llx flags 0x%llx",
			   gpa, exit_reason_str(vcpu->run->exit_reason), fault->gpa,
			   fault->size, fault->flags);
}

/* There KVM_RUN says it, and new memory is had by a hole. */
KVM_TEST(guest_memfd_has_another_page_after_a_hole)
{
	const uint64_t flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	const size_t npages = 8, victim = 4;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i;
	char *map;
	gva_t gva;
	int fd;

	__TEST_REQUIRE(kvm_test_option("hwpoison", 0),
		       "takes a page of this machine out of use until it is booted again: --set hwpoison=1 allows that");
	__TEST_REQUIRE(kvm_has_cap(KVM_CAP_GUEST_MEMFD_FLAGS) &&
		       (kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & flags) == flags,
		       "needs a guest_memfd that can be mapped, of Linux 6.18");
	sigaction(SIGBUS, &sa, NULL);
	vm = vm_create_with_one_vcpu(&vcpu, guest_job_loop);
	fd = vm_create_guest_memfd(vm, npages * PAGE_SIZE, flags);
	map = mmap(NULL, npages * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, map != MAP_FAILED, "mmap: errno %d", errno);
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, npages, 0, fd, 0);
	fill(map, npages);
	gva = vm_map_gpa(vm, GPA, npages * PAGE_SIZE);
	set_access(vm, guest_load, gva + victim * PAGE_SIZE);
	expect_access(vcpu, guest_load, NULL, victim + 1, "before");
	breadcrumb("poison a page of a guest_memfd");
	poison(map + victim * PAGE_SIZE);
	for (i = 0; i < 3; i++)
		expect_ehwpoison(vcpu, GPA + victim * PAGE_SIZE);
	test_step("punch the page out");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO,
			   !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      victim * PAGE_SIZE, PAGE_SIZE),
			   "punching: errno %d", errno);
	expect_access(vcpu, guest_load, NULL, 0, "punched");
	for (i = 0; i < npages; i++) {
		set_access(vm, guest_load, gva + i * PAGE_SIZE);
		expect_access(vcpu, guest_load, NULL, i == victim ? 0 : i + 1, "other pages");
	}
	munmap(map, npages * PAGE_SIZE);
	close(fd);
	kvm_vm_free(vm);
}

KVM_TEST_MAIN()
