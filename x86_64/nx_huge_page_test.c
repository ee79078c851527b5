// SPDX-License-Identifier: GPL-2.0-only
/*
 * The iTLB multihit workaround (kvm.nx_huge_pages): large pages are not
 * executable, and one that the guest executes from is split into 4K.
 *
 * What must hold: only that one is split, and it counts in nx_lpage_splits, once,
 * and only if it could have been large; code in it is what guest and host wrote
 * last; the recovery worker makes large pages of it again, after a flush of the
 * TLBs, and the count goes back to 0; switching the workaround off does so at
 * once. None of that may change data or a dirty log, and a VM may die at any time.
 *
 * Bugs of this class: counts that drift, pages that are recovered over and over
 * or never, recovery that zaps without a flush, a zap that frees what a dying VM
 * still walks.
 */
#include "dying.h"
#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "smm.h"

KVM_TEST_SUITE(nx_huge_page_test,
	.needs = { .mem_mb = 128, .huge_2m = 4 },
	.fixes = FIXES(
		"5bcaf3e1715f KVM: x86/mmu: Account NX huge page disallowed iff huge page was requested",
		"048f49809c52 KVM: x86/mmu: Ensure TLBs are flushed for TDP MMU during NX zapping",
		"eb298605705a KVM: x86/mmu: Do not recover dirty-tracked NX Huge Pages",
		"817fa998362d KVM: x86/mmu: Grab memslot for correct address space in NX recovery worker"));

#define AREA_GPA	(5 * SZ_1G)
#define NR_LARGE	4
#define DATA_SLOT	1

/* Where the code counts how often it ran; below 2G, for its displacement. */
#define COUNTER_GPA	0x20000000UL
#define COUNTER_SLOT	2
#define NR_COUNTERS	16

#define NEVER_MS	"3600000"

struct nx_vm {
	struct page_vm p;
	uint32_t ran[NR_COUNTERS];	/* what the counters must be */
};

/* ---- parameters ---- */

/* Recovers everything every @period_ms milliseconds. */
static void set_recovery(const char *period_ms)
{
	kvm_set_module_param("kvm", "nx_huge_pages_recovery_period_ms", period_ms);
}

static void set_params(void)
{
	kvm_set_module_param("kvm", "nx_huge_pages", "Y");
	/* Before 5.16, the shortest period is a second, and for one page. */
	set_recovery(NEVER_MS);
	kvm_set_module_param("kvm", "nx_huge_pages_recovery_ratio", "1");
}

/* ---- code in the area ---- */

/* "incl COUNTER; ret": 8 bytes, as many as the page has beside its pattern. */
static uint64_t code_of(unsigned int number)
{
	const uint64_t address = COUNTER_GPA + number * sizeof(uint32_t);

	return 0x2504ffULL | address << 24 | 0xc3ULL << 56;
}

static gpa_t code_gpa(gpa_t page)
{
	return page + PAGE_USER_WORD * sizeof(uint64_t);
}

static void put_code(struct nx_vm *v, gpa_t page, unsigned int number)
{
	*(volatile uint64_t *)addr_gpa2hva(v->p.vm, code_gpa(page)) = code_of(number);
}

static void expect_counters(struct nx_vm *v, gpa_t page)
{
	const uint32_t *counter = addr_gpa2hva(v->p.vm, COUNTER_GPA);
	unsigned int i;

	for (i = 0; i < NR_COUNTERS; i++)
		TEST_ASSERT(counter[i] == v->ran[i],
			    "the code at gpa 0x%lx was called: code %u has run %u times so far, want %u",
			    code_gpa(page), i, counter[i], v->ran[i]);
}

/* Calls what is there, which must be code @number. */
static void exec(struct nx_vm *v, gpa_t page, unsigned int number)
{
	test_step("execute code %u at gpa 0x%lx", number, code_gpa(page));
	page_worker_exec(&v->p.workers[0], code_gpa(page));
	v->ran[number]++;
	expect_counters(v, page);
}

static gpa_t page_in(unsigned int large, unsigned int page)
{
	return AREA_GPA + large * SZ_2M + page * PAGE_SIZE;
}

/* ---- what KVM maps ---- */

static int64_t splits(struct nx_vm *v)
{
	int64_t value;

	__TEST_REQUIRE(vm_read_stat(v->p.vm, "nx_lpage_splits", &value),
		       "needs the statistic nx_lpage_splits");
	return value;
}

static void expect_splits(struct nx_vm *v, int64_t want, const char *when)
{
	int64_t got = splits(v);

	TEST_ASSERT_ORACLE(ORACLE_STATS, got == want,
			   "%s: nx_lpage_splits is %ld, want %ld", when, got, want);
}

/* How many of the area's pages are large; the rest of the VM has none. */
static void expect_large(struct nx_vm *v, int64_t want, const char *when)
{
	struct page_sizes got;

	if (!page_sizes_read(v->p.vm, &got))
		return;
	TEST_ASSERT_ORACLE(ORACLE_STATS, got.n2m == want && !got.n1g,
			   "%s: KVM maps %ld 2M and %ld 1G pages, want %ld and 0; nx_lpage_splits is %ld",
			   when, got.n2m, got.n1g, want, splits(v));
}

static void expect(struct nx_vm *v, int64_t want_splits, int64_t want_large,
		   const char *when)
{
	expect_splits(v, want_splits, when);
	expect_large(v, want_large, when);
}

/* Everything is read, and written by both sides, and then read. */
static void check_data(struct nx_vm *v, unsigned int round, const char *when)
{
	struct page_area *area = &v->p.area;

	page_worker_read(&v->p.workers[0], when);
	page_worker_write(&v->p.workers[0], 0, area->npages, round);
	page_area_check(area, when);
	page_area_fill(area, test_random() % area->npages, 1, round + 1);
	page_worker_read(&v->p.workers[0], when);
}

static void nx_vm_create(struct nx_vm *v, uint32_t nr_vcpus,
			 enum vm_mem_backing_src_type src, uint32_t flags)
{
	memset(v, 0, sizeof(*v));
	page_vm_create(&v->p, nr_vcpus, AREA_GPA, NR_LARGE * SZ_2M, PG_LEVEL_2M, 8);
	vm_userspace_mem_region_add(v->p.vm, src, AREA_GPA, DATA_SLOT,
				    NR_LARGE * SZ_2M / PAGE_SIZE, flags);
	virt_pg_map(v->p.vm, COUNTER_GPA, COUNTER_GPA);
	vm_userspace_mem_region_add(v->p.vm, VM_MEM_SRC_ANONYMOUS, COUNTER_GPA,
				    COUNTER_SLOT, 1, 0);
	page_area_fill(&v->p.area, 0, v->p.area.npages, 1);
	expect_splits(v, 0, "in a new VM");
}

static void large_vm_create(struct nx_vm *v, uint32_t nr_vcpus)
{
	nx_vm_create(v, nr_vcpus, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 0);
	page_worker_read(&v->p.workers[0], "when it was touched first");
	expect(v, 0, NR_LARGE, "data only");
}

/* Executes code @large somewhere in that large page, and returns where. */
static gpa_t split(struct nx_vm *v, unsigned int large)
{
	gpa_t page = page_in(large, 1 + test_random() % 500);

	put_code(v, page, large);
	exec(v, page, large);
	return page;
}

/* ---- cases ---- */

KVM_TEST(only_what_is_executed_is_split)
{
	int64_t mapped, flushes;
	struct nx_vm v;

	set_params();
	large_vm_create(&v, 1);

	breadcrumb("execute from the second of %u large pages", NR_LARGE);
	put_code(&v, page_in(1, 3), 0);
	mapped = vm_mapped_pages(v.p.vm);
	flushes = vm_tlb_flush_requests(v.p.vm);
	exec(&v, page_in(1, 3), 0);
	if (vm_mapped_pages(v.p.vm) < mapped)
		vm_expect_tlb_flush(v.p.vm, flushes, "a fetch has unmapped most of a large page");
	expect(&v, 1, NR_LARGE - 1, "one was executed from");
	check_data(&v, 2, "one was executed from");
	expect(&v, 1, NR_LARGE - 1, "one was executed from, and all were written");

	breadcrumb("execute from other pages of it");
	put_code(&v, page_in(1, 0), 1);
	put_code(&v, page_in(1, 511), 2);
	exec(&v, page_in(1, 511), 2);
	exec(&v, page_in(1, 0), 1);
	exec(&v, page_in(1, 3), 0);
	expect(&v, 1, NR_LARGE - 1, "one was executed from in three places");

	breadcrumb("execute from the others");
	split(&v, 3);
	expect(&v, 2, NR_LARGE - 2, "two were executed from");
	check_data(&v, 4, "two were executed from");
	split(&v, 0);
	split(&v, 2);
	expect(&v, NR_LARGE, 0, "all were executed from");
	check_data(&v, 6, "all were executed from");
	kvm_vm_free(v.p.vm);
}

/* On the first touch of all: nothing large is there to be split. */
KVM_TEST(first_touch_may_be_a_fetch)
{
	struct nx_vm v;

	set_params();
	nx_vm_create(&v, 1, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 0);
	split(&v, 2);
	expect(&v, 1, 0, "a fetch was the first touch");
	check_data(&v, 2, "a fetch was the first touch");
	expect(&v, 1, NR_LARGE - 1, "a fetch was the first touch, then all were written");
	kvm_vm_free(v.p.vm);
}

KVM_TEST(code_is_what_was_written_last)
{
	const gpa_t page = page_in(1, 77);
	struct page_worker *w;
	unsigned int i;
	struct nx_vm v;

	set_params();
	large_vm_create(&v, 1);
	w = &v.p.workers[0];
	for (i = 0; i < NR_COUNTERS; i++) {
		if (i & 1) {
			put_code(&v, page, i);
		} else {
			page_worker_access(w, code_gpa(page), true, code_of(i));
			page_worker_end(w);
		}
		exec(&v, page, i);
		/* A page of its own, through the large page that was there. */
		put_code(&v, page + (1 + i) * PAGE_SIZE, i);
		exec(&v, page + (1 + i) * PAGE_SIZE, i);
	}
	expect(&v, 1, NR_LARGE - 1, "one was written and executed");
	check_data(&v, 2, "one was written and executed");
	kvm_vm_free(v.p.vm);
}

/* Memory that is mapped 4K anyhow is not what the workaround has split. */
KVM_TEST(small_pages_do_not_count)
{
	struct nx_vm v;

	set_params();
	nx_vm_create(&v, 1, VM_MEM_SRC_ANONYMOUS, 0);
	page_worker_read(&v.p.workers[0], "when it was touched first");
	split(&v, 1);
	split(&v, 2);
	expect(&v, 0, 0, "code in a slot of 4K pages was executed");
	kvm_vm_free(v.p.vm);
}

/* A memslot's metadata, not the host, keeps the first and the last 2M small. */
KVM_TEST(ends_of_a_slot_do_not_count)
{
	const size_t pages = (NR_LARGE * SZ_2M - 2 * SZ_1M) / PAGE_SIZE;
	struct backing_mem mem;
	struct nx_vm v = {};

	set_params();
	page_vm_create(&v.p, 1, AREA_GPA, NR_LARGE * SZ_2M, PG_LEVEL_2M, 8);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, NR_LARGE * SZ_2M,
			  AREA_GPA);
	vm_mem_region_add_backing(v.p.vm, &mem, (char *)mem.hva + SZ_1M,
				  AREA_GPA + SZ_1M, DATA_SLOT, pages, 0);
	virt_pg_map(v.p.vm, COUNTER_GPA, COUNTER_GPA);
	vm_userspace_mem_region_add(v.p.vm, VM_MEM_SRC_ANONYMOUS, COUNTER_GPA,
				    COUNTER_SLOT, 1, 0);
	page_area_fill(&v.p.area, SZ_1M / PAGE_SIZE, pages, 1);

	put_code(&v, page_in(0, 300), 0);
	exec(&v, page_in(0, 300), 0);
	put_code(&v, page_in(NR_LARGE - 1, 200), 1);
	exec(&v, page_in(NR_LARGE - 1, 200), 1);
	expect(&v, 0, 0, "code at both ends of a slot was executed");
	page_worker_read(&v.p.workers[0], "code at both ends was executed");
	expect(&v, 0, NR_LARGE - 2, "code at both ends of a slot was executed");
	split(&v, 1);
	expect(&v, 1, NR_LARGE - 3, "code in the slot's middle was executed");
	kvm_vm_free(v.p.vm);
	backing_mem_free(&mem);
}

KVM_TEST(deleted_and_unmapped_pages_are_not_counted_any_more)
{
	struct nx_vm v;

	set_params();
	large_vm_create(&v, 1);
	split(&v, 0);
	split(&v, 1);
	expect(&v, 2, NR_LARGE - 2, "two were executed from");

	breadcrumb("delete the slot, and add it");
	vm_mem_region_reload(v.p.vm, DATA_SLOT);
	expect(&v, 0, 0, "the slot was deleted and added");
	check_data(&v, 2, "the slot was deleted and added");
	expect(&v, 0, NR_LARGE, "the slot was deleted and added, and touched");
	split(&v, 3);
	expect(&v, 1, NR_LARGE - 1, "one was executed from in the new slot");
	check_data(&v, 4, "one was executed from in the new slot");
	kvm_vm_free(v.p.vm);
}

KVM_TEST(switched_off_and_on)
{
	struct nx_vm v;

	set_params();
	large_vm_create(&v, 1);
	split(&v, 0);
	split(&v, 2);
	expect(&v, 2, NR_LARGE - 2, "two were executed from");

	breadcrumb("nx_huge_pages off");
	kvm_set_module_param("kvm", "nx_huge_pages", "N");
	check_data(&v, 2, "switched off");
	expect(&v, 0, NR_LARGE, "switched off, and all touched");
	split(&v, 1);
	expect(&v, 0, NR_LARGE, "switched off, and one executed from");

	breadcrumb("nx_huge_pages on");
	kvm_set_module_param("kvm", "nx_huge_pages", "Y");
	check_data(&v, 4, "switched on again");
	expect(&v, 0, NR_LARGE, "switched on again, and all touched");
	split(&v, 1);
	expect(&v, 1, NR_LARGE - 1, "switched on again, and one executed from");
	check_data(&v, 6, "one executed from");
	kvm_vm_free(v.p.vm);
}

/* What only who may reboot the host may ask for, before there are vCPUs. */
KVM_TEST(one_vm_does_without, .privileged = true,
	 .caps = NEED_CAPS(NEED_CAP(KVM_CAP_VM_DISABLE_NX_HUGE_PAGES)))
{
	const uint32_t cap = KVM_CAP_VM_DISABLE_NX_HUGE_PAGES;
	unsigned int i;
	struct nx_vm v;

	set_params();
	nx_vm_create(&v, 0, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 0);
	TEST_ASSERT_ERRNO(__vm_enable_cap(v.p.vm, cap, 1), EINVAL, "an argument");
	vm_enable_cap(v.p.vm, cap, 0);
	v.p.vcpus[0] = vm_vcpu_add(v.p.vm, 0, guest_page_worker);
	page_worker_init(&v.p.workers[0], v.p.vcpus[0], &v.p.area);
	TEST_ASSERT_ERRNO(__vm_enable_cap(v.p.vm, cap, 0), EINVAL, "with a vCPU");
	for (i = 0; i < NR_LARGE; i++) {
		kvm_set_module_param("kvm", "nx_huge_pages", i % 2 ? "N" : "Y");
		breadcrumb("execute from a large page, nx_huge_pages %s", i % 2 ? "off" : "on");
		split(&v, i);
		check_data(&v, 2 + 2 * i, "one was executed from");
		expect(&v, 0, NR_LARGE, "one was executed from");
	}
	kvm_vm_free(v.p.vm);
}

/* ---- recovery ---- */

static void wait_for_recovery(struct nx_vm *v)
{
	const int64_t before = splits(v);
	unsigned int ms;

	set_recovery("10");
	for (ms = 0; splits(v) && ms < test_seconds(5) * 1000; ms += 2)
		usleep(2000);
	TEST_ASSERT_ORACLE(ORACLE_STATS, !splits(v),
			   "recovery of everything every 10 ms: after %u seconds, nx_lpage_splits is still %ld of %ld",
			   test_seconds(5), splits(v), before);
	set_recovery(NEVER_MS);
}

/* KVM's thread counts a page as recovered first, and asks for the flush after that. */
static void wait_for_flush(struct nx_vm *v, int64_t before)
{
	unsigned int ms;

	for (ms = 0; before >= 0 && vm_tlb_flush_requests(v->p.vm) == before &&
	     ms < test_seconds(5) * 1000; ms += 2)
		usleep(2000);
	vm_expect_tlb_flush(v->p.vm, before, "recovery has zapped what was executable");
}

KVM_TEST(recovered_pages_are_large_again)
{
	struct nx_vm v;
	unsigned int i;
	int64_t flushes;
	gpa_t code;

	set_params();
	large_vm_create(&v, 1);
	for (i = 0; i < 3; i++) {
		breadcrumb("round %u: split", i);
		code = split(&v, 0);
		split(&v, 1 + i);
		check_data(&v, 2 + 4 * i, "two were executed from");
		expect(&v, 2, NR_LARGE - 2, "two were executed from");

		breadcrumb("round %u: recover", i);
		flushes = vm_tlb_flush_requests(v.p.vm);
		wait_for_recovery(&v);
		wait_for_flush(&v, flushes);
		expect(&v, 0, NR_LARGE - 2, "recovered, not touched");
		check_data(&v, 4 + 4 * i, "recovered");
		expect(&v, 0, NR_LARGE, "recovered, and touched");
		exec(&v, code, 0);
		expect(&v, 1, NR_LARGE - 1, "recovered, and executed from again");
	}
	kvm_vm_free(v.p.vm);
}

/* One vCPU counts in every page, the other one executes, and nothing is lost. */
KVM_TEST(recovery_while_the_guest_runs)
{
	const unsigned int rounds = 60;
	struct nx_vm v;
	unsigned int i;

	set_params();
	large_vm_create(&v, 2);
	/* Code is what the loop's guest counts in, so the last page is not its. */
	page_area_set_round(&v.p.area, (NR_LARGE - 1) * 512, 512, ROUND_NONE);
	for (i = 0; i < v.p.area.npages; i++)
		*(uint64_t *)addr_gpa2hva(v.p.vm, code_gpa(AREA_GPA + i * PAGE_SIZE)) = 0;
	set_recovery("1");
	page_worker_start(&v.p.workers[1], PAGES_BUMP_LOOP);
	for (i = 0; i < rounds; i++) {
		split(&v, NR_LARGE - 1);
		page_worker_wait_loops(&v.p.workers[1], 1);
	}
	page_worker_stop(&v.p.workers[1], "while recovery ran");
	wait_for_recovery(&v);
	page_worker_read(&v.p.workers[0], "after recovery");
	page_area_check(&v.p.area, "after recovery");
	kvm_vm_free(v.p.vm);
}

/* ---- dirty logging ---- */

/*
 * What was written must be there. KVM may add what it has mapped anew for a read,
 * but not what nobody has touched: the last large page.
 */
static void expect_dirty(struct nx_vm *v, uint64_t first, uint64_t n, const char *when)
{
	static uint64_t log[NR_LARGE * 512 / 64];
	bool is, want;
	uint64_t i;

	kvm_vm_get_dirty_log(v->p.vm, DATA_SLOT, log);
	for (i = 0; i < NR_LARGE * 512; i++) {
		is = log[i / 64] >> (i % 64) & 1;
		want = i >= first && i < first + n;
		TEST_ASSERT(is || !want, "%s: gpa 0x%lx was written, but is not in the dirty log",
			    when, AREA_GPA + i * PAGE_SIZE);
		TEST_ASSERT(!is || i < (NR_LARGE - 1) * 512,
			    "%s: gpa 0x%lx was not touched, but is in the dirty log",
			    when, AREA_GPA + i * PAGE_SIZE);
	}
}

KVM_TEST(dirty_logging_of_split_pages)
{
	struct page_worker *w;
	struct nx_vm v;
	gpa_t code;

	set_params();
	large_vm_create(&v, 1);
	w = &v.p.workers[0];
	code = split(&v, 1);
	expect(&v, 1, NR_LARGE - 1, "one was executed from");

	breadcrumb("dirty logging on");
	vm_mem_region_set_flags(v.p.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	page_worker_write(w, 512 - 20, 40, 2);
	exec(&v, code, 1);
	expect_dirty(&v, 512 - 20, 40, "logging");
	page_worker_write(w, 512 - 30, 40, 3);
	expect_dirty(&v, 512 - 30, 40, "logging, once more");

	breadcrumb("recovery under dirty logging");
	page_worker_write(w, 512 + 200, 100, 4);
	set_recovery("1");
	usleep(20 * 1000);
	split(&v, 1);
	page_worker_write(w, 512 + 300, 100, 4);
	set_recovery(NEVER_MS);
	expect_dirty(&v, 512 + 200, 200, "logging, with recovery");
	page_worker_read(w, "logging, with recovery");
	page_area_check(&v.p.area, "logging, with recovery");

	breadcrumb("dirty logging off");
	vm_mem_region_set_flags(v.p.vm, DATA_SLOT, 0);
	wait_for_recovery(&v);
	check_data(&v, 5, "dirty logging off");
	expect_splits(&v, 0, "dirty logging off, recovered, and touched");
	/* Else tables that could not be large, and did not count, may stay. */
	if (kvm_is_tdp_mmu_enabled())
		expect_large(&v, NR_LARGE, "dirty logging off, recovered, and touched");
	kvm_vm_free(v.p.vm);
}

/*
 * What is joined when logging ends is made of small pages, which could be executed; the
 * large page cannot. Where tables stay, as in the shadow MMU, nothing is joined.
 */
KVM_TEST(joined_pages_are_not_executable)
{
	struct nx_vm v;

	__TEST_REQUIRE(kvm_is_tdp_mmu_enabled(), "needs the TDP MMU");
	set_params();
	large_vm_create(&v, 1);
	vm_mem_region_set_flags(v.p.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	check_data(&v, 2, "dirty logging");
	breadcrumb("dirty logging off");
	vm_mem_region_set_flags(v.p.vm, DATA_SLOT, 0);
	check_data(&v, 4, "dirty logging off");
	expect(&v, 0, NR_LARGE, "dirty logging off, and touched");
	split(&v, 1);
	expect(&v, 1, NR_LARGE - 1, "one was executed from that was joined");
	split(&v, 3);
	expect(&v, 2, NR_LARGE - 2, "two were executed from that were joined");
	check_data(&v, 6, "two were executed from");
	kvm_vm_free(v.p.vm);
}

/* Zapped, they would only come back as they were. */
KVM_TEST(recovery_leaves_logged_pages_alone)
{
	int64_t mapped;
	struct nx_vm v;

	__TEST_REQUIRE(kernel_at_least(6, 2), "needs Linux 6.2: before, recovery zaps what is logged");
	set_params();
	large_vm_create(&v, 1);
	split(&v, 1);
	split(&v, 2);
	expect(&v, 2, NR_LARGE - 2, "two were executed from");
	vm_mem_region_set_flags(v.p.vm, DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	check_data(&v, 2, "dirty logging");
	mapped = vm_mapped_pages(v.p.vm);
	breadcrumb("recovery under dirty logging");
	wait_for_recovery(&v);
	TEST_ASSERT_ORACLE(ORACLE_STATS, vm_mapped_pages(v.p.vm) == mapped,
			   "recovery has left %ld of %ld pages mapped: nothing may go while its slot is logged",
			   vm_mapped_pages(v.p.vm), mapped);
	check_data(&v, 4, "dirty logging, and recovery");
	kvm_vm_free(v.p.vm);
}

/* The same memory is in slots of both address spaces; the one that is not used is logged. */
static void recover_beside_logging(bool smm)
{
	struct userspace_mem_region *r;
	struct nx_vm v;
	uint32_t slot;

	set_params();
	nx_vm_create(&v, 1, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 0);
	vm_smm_init(v.p.vm);
	for (slot = DATA_SLOT; slot <= COUNTER_SLOT; slot++) {
		r = vm_get_mem_region(v.p.vm, slot);
		vm_mem_region_add_backing(v.p.vm, &r->mem, r->mem.hva, r->gpa, SMM_SLOT(slot),
					  r->size / PAGE_SIZE, 0);
	}
	vcpu_set_smm(v.p.vcpus[0], smm);
	page_worker_read(&v.p.workers[0], "when it was touched first");
	split(&v, 1);
	expect(&v, 1, NR_LARGE - 1, "one was executed from");
	vm_mem_region_set_flags(v.p.vm, smm ? DATA_SLOT : SMM_SLOT(DATA_SLOT),
				KVM_MEM_LOG_DIRTY_PAGES);
	breadcrumb("recovery %s SMM; on the other side, the slot is logged", smm ? "in" : "outside");
	wait_for_recovery(&v);
	check_data(&v, 2, "recovered");
	expect(&v, 0, NR_LARGE, "recovered, and touched");
	kvm_vm_free(v.p.vm);
}

KVM_TEST(recovery_in_smm, .caps = NEED_CAPS_SMM)
{
	recover_beside_logging(true);
}

KVM_TEST(recovery_outside_smm, .caps = NEED_CAPS_SMM)
{
	recover_beside_logging(false);
}

/* Under dirty logging, nothing could be large. */
KVM_TEST(pages_of_a_logged_slot_do_not_count)
{
	struct nx_vm v;

	set_params();
	nx_vm_create(&v, 1, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, KVM_MEM_LOG_DIRTY_PAGES);
	split(&v, 1);
	split(&v, 2);
	check_data(&v, 2, "under dirty logging");
	expect(&v, 0, 0, "code in a slot with dirty logging was executed");
	kvm_vm_free(v.p.vm);
}

/* ---- death ---- */

static struct kvm_vm *split_vm(void *arg)
{
	static struct nx_vm v;
	unsigned int i;

	(void)arg;
	large_vm_create(&v, 1);
	for (i = 0; i < NR_LARGE; i++)
		split(&v, i);
	expect(&v, NR_LARGE, 0, "all were executed from");
	/* Recovery is on its way, or is not, when the VM dies. */
	set_recovery("1");
	if (test_random() & 1)
		split(&v, 0);
	return v.p.vm;
}

KVM_TEST(vm_dies_with_split_pages)
{
	enum vm_death how;

	set_params();
	for (how = 0; how < NR_VM_DEATHS; how++) {
		set_recovery(NEVER_MS);
		vm_die_in_child(how, split_vm, NULL);
	}
}

KVM_TEST_MAIN()
