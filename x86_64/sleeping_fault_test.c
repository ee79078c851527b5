// SPDX-License-Identifier: GPL-2.0-only
/*
 * What happens while a vCPU's fault sleeps, because the host's page has to come first.
 * Whatever KVM has read before it slept may be old when it goes on: the entries of the
 * page tables that it walked, of which one is edited; an entry in which it is about to
 * set the accessed bit; the memslots, of which one goes or moves while another vCPU is
 * the first to need shadow pages.
 *
 * After a flush each access goes where the tables lead, no edit is lost, and a slot
 * takes all of its metadata along.
 *
 * What breaks this: an entry that is not read again under the lock, one that is written
 * without a look at what is there, a copy of a slot from before its arrays came.
 * userfault_test has the invalidations that a fault sleeps through.
 */
#include <sys/mman.h>

#include "kvm_test_harness.h"
#include "nested.h"
#include "userfault.h"

KVM_TEST_SUITE(sleeping_fault_test, .needs = { .mem_mb = 64, .privileged = true },
	.fixes = FIXES("bda44d844758 KVM: Ensure local memslot copies operate on up-to-date arch-specific data"));

/* In the window; only what holds them is used by them alone. */
#define OFF		(5 * SZ_2M + 3 * PAGE_SIZE)
#define OTHER_OFF	(6 * SZ_2M + 3 * PAGE_SIZE)
#define OTHER_PAGE	7U

/* One page that is not there, or is not to be written. */
#define MEM_GPA		(NESTED_GPA + 4 * SZ_2M)
#define MEM_SLOT	2

static struct nested n;
static struct backing_mem mem;
static uint64_t data[PAGE_SIZE / 8];

static struct nested_cpu *create(unsigned int nr_cpus, bool paging,
				 enum vm_mem_backing_src_type src)
{
	struct nested_cpu *cpu = nested_create_with_ram(&n, nr_cpus, paging);
	unsigned int i;

	backing_mem_alloc(&mem, src, PAGE_SIZE, MEM_GPA);
	vm_mem_region_add_backing(n.vm, &mem, mem.hva, MEM_GPA, MEM_SLOT, 1, 0);
	for (i = 0; i < ARRAY_SIZE(data); i++)
		data[i] = 0x5eed0000 + i;
	memcpy(mem.hva, data, sizeof(data));
	return cpu;
}

static void destroy(int fd)
{
	close(fd);
	nested_free(&n);
	backing_mem_free(&mem);
}

static void enter_l1_without_interrupts(struct nested_cpu *cpu)
{
	l1_read(cpu, NESTED_GPA, NESTED_WORD(0));
	nested_run(cpu, "L1 starts");
	vcpu_sleep_in_faults(cpu->vcpu);
}

/* The window is not touched. */
static void enter_l2_without_interrupts(struct nested_cpu *cpu)
{
	enter_l1_without_interrupts(cpu);
	nested_run_in_l2(cpu, "L2 starts");
	vcpu_sleep_in_faults(cpu->vcpu);
}

static void run_orders(struct kvm_vcpu *vcpu)
{
	nested_run(&n.cpu[vcpu->id], "what sleeps in a fault");
}

static void expect_other_page(struct nested_cpu *cpu, const char *when)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		l1_flush(cpu);
		l2_read(cpu, OFF, NESTED_WORD(OTHER_PAGE));
		nested_run(cpu, "%s, and was flushed", when);
	}
}

/* ---- an entry is edited ---- */

FIXTURE_VARIANT(entry) {
	bool paging;
	int level;
};
KVM_FIXTURE(entry)
FIXTURE_VARIANT_ADD(entry, nested_paging_4k) { true, PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(entry, nested_paging_2m) { true, PG_LEVEL_2M };
FIXTURE_VARIANT_ADD(entry, own_page_tables_4k) { false, PG_LEVEL_4K };
FIXTURE_VARIANT_ADD(entry, own_page_tables_2m) { false, PG_LEVEL_2M };

/*
 * The tables that lead there are used for the first time, and KVM does not shadow them
 * before it has the page: until then they are memory that anybody may write to.
 */
KVM_TEST_F(entry, is_edited_while_a_fault_sleeps)
{
	const int level = variant->level;
	struct nested_cpu *cpu;
	int fd;

	cpu = create(1, variant->paging, VM_MEM_SRC_ANONYMOUS);
	nested_map(&n, OFF, MEM_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	nested_map(&n, OTHER_OFF, NESTED_GPA + OTHER_PAGE * PAGE_SIZE, PAGE_SIZE,
		   PG_LEVEL_4K, NESTED_RWX);
	enter_l2_without_interrupts(cpu);
	fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_MISSING);
	userfault_take_away(&mem);
	breadcrumb("edit an entry of level %d while a fault sleeps", level);
	/* What was there before is right, too. */
	nested_order(cpu, L2_READ, NESTED_L2_GVA + OFF, 0, NESTED_WANT(ANY, 0));
	vcpu_thread_start(cpu->vcpu, run_orders);
	userfault_wait(fd, &mem, 0);
	*nested_entry(&n, OFF, level) = *nested_entry(&n, OTHER_OFF, level);
	userfault_give(fd, &mem, 0, data);
	vcpu_thread_join(cpu->vcpu);
	expect_other_page(cpu, "the entry was edited while a fault slept");
	destroy(fd);
}

/* ---- an entry is edited when its accessed bit is to be set ---- */

FIXTURE_VARIANT(bits) {
	bool paging, write;
};
KVM_FIXTURE(bits)
FIXTURE_VARIANT_ADD(bits, nested_paging_read) { true, false };
FIXTURE_VARIANT_ADD(bits, nested_paging_write) { true, true };
FIXTURE_VARIANT_ADD(bits, own_page_tables_read) { false, false };
FIXTURE_VARIANT_ADD(bits, own_page_tables_write) { false, true };

static void protect(int fd, bool on)
{
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)mem.hva, mem.size },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	TEST_ERROR_ON(ioctl(fd, UFFDIO_WRITEPROTECT, &wp), "UFFDIO_WRITEPROTECT");
}

/* The table is the page that is not to be written; the host writes it elsewhere. */
KVM_TEST_F(bits, do_not_overwrite_an_edit)
{
	const unsigned int index = OFF / PAGE_SIZE % 512;
	volatile uint64_t *table;
	struct nested_cpu *cpu;
	uint64_t entry;
	int fd;

	cpu = create(1, variant->paging, VM_MEM_SRC_SHMEM);
	__TEST_REQUIRE(n.amd || !variant->paging, "needs SVM: KVM sets no bits in an EPT");
	/* Seen in Bochs: no fault comes of that. */
	__TEST_REQUIRE(variant->paging || n.amd || !kvm_is_tdp_enabled(),
		       "needs SVM, or kvm_intel.ept=0: with EPT it is the CPU that sets these bits");
	table = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, mem.fd, 0);
	TEST_ERROR_ON(table == MAP_FAILED, "mmap");
	memset((void *)table, 0, PAGE_SIZE);
	table[index] = nested_ram_leaf(cpu, 5, NESTED_RWX);
	nested_map(&n, OFF, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	*nested_entry(&n, OFF, PG_LEVEL_2M) = nested_link(&n, MEM_GPA);
	enter_l2_without_interrupts(cpu);
	fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_WP);
	TEST_ASSERT_EQ(((volatile uint64_t *)mem.hva)[index], table[index]);
	protect(fd, true);
	breadcrumb("edit an entry whose accessed bit is to be set");
	nested_order(cpu, variant->write ? L2_WRITE : L2_READ, NESTED_L2_GVA + OFF + 8, 1,
		     NESTED_WANT(ANY, 0));
	vcpu_thread_start(cpu->vcpu, run_orders);
	userfault_wait(fd, &mem, UFFD_PAGEFAULT_FLAG_WP);
	entry = nested_ram_leaf(cpu, OTHER_PAGE, NESTED_RWX);
	table[index] = entry;
	protect(fd, false);
	vcpu_thread_join(cpu->vcpu);
	TEST_ASSERT((table[index] & ~(PTE_ACCESSED_MASK | PTE_DIRTY_MASK)) == entry,
		    "the entry at gpa 0x%lx became 0x%lx while KVM was about to set its accessed bit, and is 0x%lx now: the edit is lost",
		    MEM_GPA + index * 8, entry, table[index]);
	expect_other_page(cpu, "the entry was edited");
	munmap((void *)table, PAGE_SIZE);
	destroy(fd);
}

/* ---- a slot goes or moves while the first shadow page comes ---- */

/* Without accesses it costs nothing but KVM's arrays. */
#define BIG_GPA		(16 * SZ_1G)
#define BIG_MOVED_GPA	(32 * SZ_1G)
#define BIG_SLOT	3
#define BIG_SIZE	SZ_1G

FIXTURE_VARIANT(slot) {
	bool moves;
};
KVM_FIXTURE(slot)
FIXTURE_VARIANT_ADD(slot, deleted) { false };
FIXTURE_VARIANT_ADD(slot, moved) { true };

static void *update_slot(void *arg)
{
	if (*(bool *)arg)
		vm_mem_region_move(n.vm, BIG_SLOT, BIG_MOVED_GPA);
	else
		vm_mem_region_delete(n.vm, BIG_SLOT);
	return NULL;
}

/* By its new gpa L2 finds it, and the host can take it back. */
static void use_moved_slot(struct nested_cpu *cpu)
{
	const size_t last = BIG_SIZE - PAGE_SIZE;
	uint64_t *word = addr_gpa2hva(n.vm, BIG_MOVED_GPA + last);
	void *old = NULL;
	unsigned int i;

	nested_map(&n, OFF, BIG_MOVED_GPA + last, PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < 3; i++) {
		*word = 0x1000 + i;
		l2_read(cpu, OFF, 0x1000 + i);
		nested_run(cpu, "the slot has moved");
		if (old)
			munmap(old, PAGE_SIZE);
		old = backing_exchange(word, PAGE_SIZE);
	}
	munmap(old, PAGE_SIZE);
}

/*
 * An update waits for all vCPUs to leave the memslots as they were, and one of them
 * sleeps. The first L2 comes meanwhile: with TDP, all slots get reverse maps by then.
 */
KVM_TEST_F(slot, changes_while_the_first_l2_comes)
{
	struct nested_cpu *cpu, *sleeper;
	bool moves = variant->moves;
	pthread_t thread;
	int fd;

	cpu = create(2, true, VM_MEM_SRC_ANONYMOUS);
	sleeper = &n.cpu[1];
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, BIG_GPA, BIG_SLOT,
				    BIG_SIZE / PAGE_SIZE, 0);
	nested_map(&n, 0, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	enter_l1_without_interrupts(sleeper);
	fd = userfault_open(&mem, UFFDIO_REGISTER_MODE_MISSING);
	userfault_take_away(&mem);
	l1_read(sleeper, MEM_GPA, data[0]);
	vcpu_thread_start(sleeper->vcpu, run_orders);
	userfault_wait(fd, &mem, 0);
	breadcrumb("a slot is %s while the first L2 comes", moves ? "moved" : "deleted");
	errno = pthread_create(&thread, NULL, update_slot, &moves);
	TEST_ERROR_ON(errno, "cannot start a thread");
	/* Until it waits. Where it has not come so far this case cannot fail. */
	usleep(100000);
	l2_read(cpu, 0, NESTED_WORD(0));
	nested_run(cpu, "the first L2");
	userfault_give(fd, &mem, 0, data);
	vcpu_thread_join(sleeper->vcpu);
	pthread_join(thread, NULL);
	if (moves)
		use_moved_slot(cpu);
	l2_read(cpu, 0, NESTED_WORD(0));
	nested_run(cpu, "after it");
	destroy(fd);
}

KVM_TEST_MAIN()
