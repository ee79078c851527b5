// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU needs page tables, and KVM gets no memory for them: not for any, for one, for
 * two. KVM_RUN fails with ENOMEM, and when there is memory again the guest goes on with
 * the same instruction. What KVM does on its own behalf, as to split large pages for a
 * dirty log, is left undone or half done, and costs no entry of the log.
 *
 * What breaks this: a fault that is half handled and not taken back, page tables that are
 * linked before they are complete, a page that stays large and writable when it could not
 * be split.
 */
#include "kvm_test_harness.h"
#include "memory_limit.h"
#include "nested.h"

KVM_TEST_SUITE(memory_limit_run_test,
	.needs = { .privileged = true, .timeout = 40 });

#define SLOT		1
#define GPA(i)		(0x100000000UL + (i) * SZ_1G)
#define NR_SLOTS	6
#define VALUE(i)	(0x1234567800000000UL + (i))

static void guest_writes(uint64_t nr, uint64_t first, uint64_t step)
{
	uint64_t i;

	for (i = 0; i < nr; i++) {
		guest_write64(first + i * step, VALUE(i));
		GUEST_SYNC_ARGS(1, guest_read64(first + i * step), i, 0, 0);
	}
	GUEST_DONE();
}

static int run(void *arg)
{
	return __vcpu_run(arg);
}

/* Runs to the next ucall, with as little memory as it takes, or with @ml NULL as ever. */
static void run_to_write(struct memory_limit *ml, struct kvm_vcpu *vcpu, uint64_t i)
{
	struct ucall uc;

	if (ml)
		vcpu_check_exit(vcpu, with_more_and_more_memory(ml, "KVM_RUN", run, NULL, vcpu));
	else
		vcpu_run(vcpu);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), (uint64_t)UCALL_SYNC);
	TEST_ASSERT_EQ(uc.args[1], VALUE(i));
	TEST_ASSERT_EQ(uc.args[2], i);
}

/* Each page has page tables of its own. */
KVM_TEST(a_guest_waits_for_page_tables)
{
	struct memory_limit ml;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	unsigned int i, round;

	memory_limit_create(&ml);
	for (round = 0; round < test_tries(4); round++) {
		vm = vm_create_with_one_vcpu(&vcpu, guest_writes);
		for (i = 0; i < NR_SLOTS; i++) {
			vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA(i), SLOT + i, 1,
						    round & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0);
			virt_pg_map(vm, GPA(i), GPA(i));
		}
		vcpu_args_set(vcpu, 3, (uint64_t)NR_SLOTS, GPA(0), SZ_1G);
		for (i = 0; i < NR_SLOTS; i++) {
			breadcrumb("round %u, page %u", round, i);
			run_to_write(&ml, vcpu, i);
		}
		for (i = 0; i < NR_SLOTS; i++)
			TEST_ASSERT_EQ(*(uint64_t *)addr_gpa2hva(vm, GPA(i)), VALUE(i));
		kvm_vm_free(vm);
	}
	memory_limit_free(&ml);
}

#define NR_2M	4UL
#define PAGES	(NR_2M * SZ_2M / PAGE_SIZE)

struct log_call {
	struct kvm_vm *vm;
	struct kvm_userspace_memory_region region;
};

static int enable_log(void *arg)
{
	struct log_call *call = arg;

	return __vm_ioctl(call->vm, KVM_SET_USER_MEMORY_REGION, &call->region);
}

/* One write to each large page, before and while it is logged. */
KVM_TEST(large_pages_are_logged_all_the_same, .huge_2m = NR_2M)
{
	static uint64_t bits[PAGES / 64];
	struct userspace_mem_region *r;
	unsigned int pages, i, n;
	struct memory_limit ml;
	struct kvm_vcpu *vcpu;
	struct log_call call;
	struct kvm_vm *vm;
	int ret;

	memory_limit_create(&ml);
	for (pages = 0; pages < 12; pages++) {
		breadcrumb("large pages are split with %u pages to spare", pages);
		vm = vm_create_with_one_vcpu(&vcpu, guest_writes);
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, GPA(0), SLOT,
					    PAGES, 0);
		virt_map(vm, GPA(0), GPA(0), PAGES);
		vcpu_args_set(vcpu, 3, 2 * NR_2M, GPA(0), SZ_2M / 2);
		for (i = 0; i < NR_2M; i++)
			run_to_write(pages ? NULL : &ml, vcpu, i);
		r = vm_get_mem_region(vm, SLOT);
		call.vm = vm;
		call.region = (struct kvm_userspace_memory_region){
			.slot = SLOT, .flags = KVM_MEM_LOG_DIRTY_PAGES, .guest_phys_addr = r->gpa,
			.memory_size = r->size, .userspace_addr = (uintptr_t)r->mem.hva };
		memory_limit_set(&ml, pages);
		ret = enable_log(&call);
		memory_limit_lift(&ml);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret || errno == ENOMEM,
				   "a slot is to be logged: %s", strerror(errno));
		if (ret)
			__assert_ioctl(enable_log(&call), KVM_SET_USER_MEMORY_REGION);
		for (; i < 2 * NR_2M; i++)
			run_to_write(&ml, vcpu, i);
		kvm_vm_get_dirty_log(vm, SLOT, bits);
		for (n = 0; n < PAGES; n++) {
			bool want = n >= PAGES / 2 && n % 256 == 0;

			TEST_ASSERT(!!(bits[n / 64] & BIT(n % 64)) == want,
				    "page %u was %swritten, and the log says %s", n,
				    want ? "" : "not ", want ? "clean" : "dirty");
		}
		kvm_vm_free(vm);
	}
	memory_limit_free(&ml);
}

/*
 * The first L2 needs its own tables and, where KVM maps guests by the CPU's nested
 * paging, arrays for all memslots, which so far did without. KVM has pages ready for
 * some 40 tables: it takes more than these, below L2's addresses and L1's.
 */
#define NR_L2_PAGES	48
#define L2_PAGES_A_RUN	8

NESTED_VARIANTS(l2)

KVM_TEST_F(l2, waits_for_page_tables)
{
	struct memory_limit ml;
	struct nested_cpu *cpu;
	unsigned int round, i;
	struct nested n;
	struct ucall uc;

	memory_limit_create(&ml);
	for (round = 0; round < test_tries(4); round++) {
		breadcrumb("an L2, round %u", round);
		nested_create(&n, 1, variant->paging);
		cpu = &n.cpu[0];
		for (i = 0; i < NR_L2_PAGES; i++) {
			vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, GPA(i), SLOT + i,
						    512, 0);
			*(uint64_t *)addr_gpa2hva(n.vm, GPA(i)) = VALUE(i);
			nested_map(&n, i * SZ_2M, GPA(i), PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
		}
		nested_run(cpu, "L1 begins");
		for (i = 0; i < NR_L2_PAGES; i++) {
			l2_read(cpu, i * SZ_2M, VALUE(i));
			l2_write(cpu, i * SZ_2M + 8, i);
			if ((i + 1) % L2_PAGES_A_RUN)
				continue;
			vcpu_check_exit(cpu->vcpu,
					with_more_and_more_memory(&ml, "KVM_RUN with an L2", run,
								  NULL, cpu->vcpu));
			TEST_ASSERT_EQ(get_ucall(cpu->vcpu, &uc), (uint64_t)UCALL_SYNC);
		}
		nested_run(cpu, "L2 has had its memory");
		for (i = 0; i < NR_L2_PAGES; i++)
			TEST_ASSERT_EQ(((uint64_t *)addr_gpa2hva(n.vm, GPA(i)))[1], (uint64_t)i);
		nested_free(&n);
	}
	memory_limit_free(&ml);
}

KVM_TEST_MAIN()
