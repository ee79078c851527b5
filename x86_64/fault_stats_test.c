// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM says in its statistics of the faults that a guest has: first touches of
 * pages of each size and of gaps, writes to pages whose dirty log was read, page faults
 * of the guest's own; and nothing for what is mapped already.
 *
 * What breaks this: a counter at one of the places where faults end, and not at
 * another; a page that is mapped, and faults again each time.
 */
#include "kvm_test_harness.h"

KVM_TEST_SUITE(fault_stats_test, .needs = { .privileged = true });

#define SLOT		1
#define GPA		(5 * SZ_1G)
#define GAP_GPA		(6 * SZ_1G)
#define NPAGES		64UL
/* Of the guest's code and stack, and of its page tables with shadow paging. */
#define SLACK		16

static void guest_touch(gva_t gva, uint64_t n, uint64_t stride)
{
	uint64_t i, faults;

	for (;;) {
		for (i = 0, faults = 0; i < n; i++)
			faults += kvm_asm_safe("movb $1, (%[a])", [a] "r"(gva + i * stride)) == PF_VECTOR;
		GUEST_SYNC(faults);
	}
}

struct counts {
	int64_t taken, fixed, fast, emulate, mmio, guest;
};

/* -1: a statistic that this kernel does not have. */
static int64_t stat_of(struct kvm_vm *vm, const char *name)
{
	int64_t value;

	return vm_read_stat(vm, name, &value) ? value : -1;
}

static struct counts counts_of(struct kvm_vm *vm)
{
	return (struct counts){
		.taken = stat_of(vm, "pf_taken"), .fixed = stat_of(vm, "pf_fixed"),
		.fast = stat_of(vm, "pf_fast"), .emulate = stat_of(vm, "pf_emulate"),
		.mmio = stat_of(vm, "pf_mmio_spte_created"), .guest = stat_of(vm, "pf_guest"),
	};
}

static void expect_grown(const char *name, int64_t before, int64_t after, int64_t least,
			 int64_t most, const char *when)
{
	TEST_ASSERT_ORACLE(ORACLE_STATS,
			   before < 0 || (after - before >= least && after - before <= most),
			   "%s: %s went from %ld to %ld, want %ld to %ld more", when, name,
			   before, after, least, most);
}

#define expect_count(b, a, which, least, most, when)				\
	expect_grown("pf_" #which, (b)->which, (a)->which, least, most, when)

struct toucher {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	uint64_t npages;
};

/* One pass over all pages, and what it changed. */
static void touch_all(struct toucher *t, uint64_t faults, struct counts *before,
		      struct counts *after)
{
	struct ucall uc;

	*before = counts_of(t->vm);
	do {
		vcpu_run(t->vcpu);
	} while (t->vcpu->run->exit_reason == KVM_EXIT_MMIO);
	if (get_ucall(t->vcpu, &uc) != UCALL_SYNC)
		vcpu_unexpected_exit(t->vcpu, "GUEST_SYNC");
	TEST_ASSERT(uc.args[0] == faults, "the guest had %lu page faults, want %lu",
		    uc.args[0], faults);
	*after = counts_of(t->vm);
}

/* The guest has run: its own code and stack are mapped. */
static void create(struct toucher *t, gpa_t gpa, int level, uint64_t npages)
{
	struct counts before, after;
	struct kvm_regs regs;

	t->npages = npages;
	t->vm = vm_create_with_one_vcpu(&t->vcpu, guest_touch);
	vcpu_args_set(t->vcpu, 3, gpa, 0UL, PG_LEVEL_SIZE(level));
	vcpu_regs_get(t->vcpu, &regs);
	touch_all(t, 0, &before, &after);
	vcpu_run_complete_io(t->vcpu);
	vcpu_regs_set(t->vcpu, &regs);
	vcpu_args_set(t->vcpu, 3, gpa, npages, PG_LEVEL_SIZE(level));
}

/* Each page faults once; the host's memory is not there, so none comes along. */
static void check_ram(enum vm_mem_backing_src_type src, int level, uint64_t npages)
{
	const uint64_t size = npages * PG_LEVEL_SIZE(level);
	struct counts before, after;
	struct toucher t;

	create(&t, GPA, level, npages);
	vm_userspace_mem_region_add(t.vm, src, GPA, SLOT, size / PAGE_SIZE, 0);
	virt_map_level(t.vm, GPA, GPA, size, level);

	breadcrumb("first touch of %lu pages", npages);
	touch_all(&t, 0, &before, &after);
	expect_count(&before, &after, taken, npages, npages + SLACK, "first touch of RAM");
	expect_count(&before, &after, fixed, npages, npages + SLACK, "first touch of RAM");
	breadcrumb("the same again");
	touch_all(&t, 0, &before, &after);
	touch_all(&t, 0, &before, &after);
	expect_count(&before, &after, taken, 0, 0, "RAM that is mapped");
	expect_count(&before, &after, fixed, 0, 0, "RAM that is mapped");
	kvm_vm_free(t.vm);
}

KVM_TEST(first_touches_of_4k_pages)
{
	check_ram(VM_MEM_SRC_ANONYMOUS, PG_LEVEL_4K, NPAGES);
}

KVM_TEST(first_touches_of_2m_pages, .huge_2m = 8)
{
	check_ram(VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, PG_LEVEL_2M, 8);
}

/* Two gaps never fit into what the vCPU remembers, so all go through the tables. */
KVM_TEST(first_touches_of_gaps)
{
	const bool caching = kvm_get_module_param_bool("kvm", "mmio_caching");
	struct counts before, after;
	struct toucher t;

	create(&t, GAP_GPA, PG_LEVEL_4K, NPAGES);
	virt_map(t.vm, GAP_GPA, GAP_GPA, NPAGES);
	breadcrumb("first touch of %lu gaps", NPAGES);
	touch_all(&t, 0, &before, &after);
	expect_count(&before, &after, taken, NPAGES, NPAGES + SLACK, "first touch of gaps");
	expect_count(&before, &after, emulate, NPAGES, NPAGES + SLACK, "first touch of gaps");
	if (caching)
		expect_grown("pf_mmio_spte_created", before.mmio, after.mmio, NPAGES, NPAGES,
			     "first touch of gaps");
	breadcrumb("the same again");
	touch_all(&t, 0, &before, &after);
	if (caching) {
		expect_count(&before, &after, taken, 0, SLACK, "gaps that are known");
		expect_grown("pf_mmio_spte_created", before.mmio, after.mmio, 0, 0,
			     "gaps that are known");
	}
	kvm_vm_free(t.vm);
}

/* On SVM, the dirty log write-protects; what fixes that takes no lock. */
KVM_TEST(writes_to_clean_pages)
{
	uint64_t log[NPAGES / 64];
	struct counts before, after;
	struct toucher t;

	__TEST_REQUIRE(kvm_is_tdp_enabled() && host_is_amd(),
		       "needs NPT: kvm_amd.npt=1, where each first write is a fault that is fast");
	create(&t, GPA, PG_LEVEL_4K, NPAGES);
	vm_userspace_mem_region_add(t.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES,
				    KVM_MEM_LOG_DIRTY_PAGES);
	virt_map(t.vm, GPA, GPA, NPAGES);
	touch_all(&t, 0, &before, &after);
	breadcrumb("read the dirty log, write again");
	kvm_vm_get_dirty_log(t.vm, SLOT, log);
	touch_all(&t, 0, &before, &after);
	expect_count(&before, &after, taken, NPAGES, NPAGES + SLACK, "write to clean pages");
	expect_count(&before, &after, fast, NPAGES, NPAGES + SLACK, "write to clean pages");
	kvm_vm_free(t.vm);
}

/* What the guest does not map is the guest's: KVM counts it where it must tell it. */
KVM_TEST(page_faults_of_the_guest)
{
	const uint64_t told = kvm_is_tdp_enabled() ? 0 : NPAGES;
	struct counts before, after;
	struct toucher t;

	create(&t, GPA, PG_LEVEL_4K, NPAGES);
	breadcrumb("%lu page faults", NPAGES);
	touch_all(&t, NPAGES, &before, &after);
	touch_all(&t, NPAGES, &before, &after);
	expect_count(&before, &after, guest, told, told, "page faults of the guest's own");
	expect_count(&before, &after, fixed, 0, SLACK, "page faults of the guest's own");
	kvm_vm_free(t.vm);
}

KVM_TEST_MAIN()
