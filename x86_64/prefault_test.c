// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY maps guest memory before the guest touches it: as the
 * guest's read would have mapped it, in pages of the same size, without an exit and
 * without counting as the guest's fault. What it did not get to is left in its argument; what cannot be mapped is an errno, and
 * nothing makes it wait for good.
 *
 * What breaks it: a page size that is taken from another fault, so that too much
 * or too little of the range counts as done; a loop that waits for a memslot to
 * go, in the way of the one who takes it away; statistics; a fault on a gap.
 */
#include <sys/mman.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(prefault_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("3ccbf6f47098 KVM: x86/mmu: Return -EAGAIN if userspace deletes/moves memslot during prefault",
		       "5186ec223b68 KVM: x86/mmu: Bump pf_taken stat only in the \"real\" page fault handler"));

#define GPA	0x40000000UL
#define SLOT	1
#define NPAGES	64UL
/* The last page is a slot of its own: whoever has read it has all that it takes. */
#define AREA_PAGES	4096UL
#define WARM_PAGE	(AREA_PAGES - 1)
#define WARM_SLOT	9

struct prefault {
	struct page_vm p;
	struct kvm_vcpu *vcpu;
	struct page_worker *w;
	int stats_fd;			/* the vCPU's */
};

/* The guest reads pages [first, first + n), which hold round 1, and the warm page. */
static void guest_reads(struct prefault *f, size_t first, size_t n, const char *when)
{
	memset(f->p.area.round, ROUND_NONE, AREA_PAGES);
	page_area_set_round(&f->p.area, first, n, 1);
	page_area_set_round(&f->p.area, WARM_PAGE, 1, 1);
	page_worker_read(f->w, when);
}

static void require_prefault(void)
{
	__TEST_REQUIRE(kvm_has_cap(KVM_CAP_PRE_FAULT_MEMORY),
		       "needs KVM_CAP_PRE_FAULT_MEMORY: Linux 6.11, and npt=1 or ept=1");
}

static void prefault_create_type(struct prefault *f, unsigned long type)
{
	require_prefault();
	page_vm_create_type(&f->p, type, 1, GPA, AREA_PAGES * PAGE_SIZE, PG_LEVEL_2M,
			    PAGE_WORDS / 4);
	f->vcpu = f->p.vcpus[0];
	f->w = &f->p.workers[0];
	f->stats_fd = __vcpu_ioctl(f->vcpu, KVM_GET_STATS_FD, NULL);
	TEST_ERROR_ON(f->stats_fd < 0, "no statistics of the vCPU");
	vm_userspace_mem_region_add(f->p.vm, VM_MEM_SRC_ANONYMOUS,
				    GPA + WARM_PAGE * PAGE_SIZE, WARM_SLOT, 1, 0);
	page_area_fill(&f->p.area, WARM_PAGE, 1, 1);
}

static void prefault_create(struct prefault *f)
{
	prefault_create_type(f, KVM_X86_DEFAULT_VM);
}

static void prefault_free(struct prefault *f)
{
	close(f->stats_fd);
	kvm_vm_free(f->p.vm);
}

static int64_t vcpu_stat(struct prefault *f, const char *name)
{
	int64_t value = 0;

	TEST_ERROR_ON(!stats_fd_read(f->stats_fd, name, &value), "no statistic %s", name);
	return value;
}

/* All of [gpa, gpa + size), however often KVM wants to be asked. */
static void prefault_all(struct prefault *f, gpa_t gpa, uint64_t size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };
	char where[256];
	int ret;

	do {
		ret = __vcpu_pre_fault_memory(f->vcpu, &range);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, !ret,
				   "KVM_PRE_FAULT_MEMORY of [0x%lx, +0x%lx), at gpa 0x%llx in %s: errno %d (%s)",
				   gpa, size, range.gpa, vm_describe_gpa(f->p.vm, range.gpa,
				   where, sizeof(where)), errno, strerror(errno));
		TEST_ASSERT(range.gpa + range.size == gpa + size && range.gpa > gpa &&
			    range.size < size,
			    "KVM_PRE_FAULT_MEMORY of [0x%lx, +0x%lx) left [0x%llx, +0x%llx)",
			    gpa, size, range.gpa, range.size);
	} while (range.size);
}

static void expect_left(const struct kvm_pre_fault_memory *range, gpa_t gpa,
			uint64_t size, const char *when)
{
	TEST_ASSERT(range->gpa == gpa && range->size == size,
		    "%s: want [0x%lx, +0x%lx) left to be done, got [0x%llx, +0x%llx)",
		    when, gpa, size, range->gpa, range->size);
}

/* ---- what is mapped ---- */

FIXTURE_VARIANT(backing) {
	enum vm_mem_backing_src_type type;
	uint32_t flags;
	unsigned int skip;		/* pages between a 2M border and the slot */
	int64_t n2m;
	size_t first, n;		/* what is prefaulted, of 1024 pages */
	size_t mapped_4k;
};
KVM_FIXTURE(backing)

FIXTURE_VARIANT_ADD(backing, anonymous) {
	.first = 3, .n = 100, .mapped_4k = 100,
};
FIXTURE_VARIANT_ADD(backing, dirty_log) {
	.flags = KVM_MEM_LOG_DIRTY_PAGES, .first = 3, .n = 100, .mapped_4k = 100,
};
FIXTURE_VARIANT_ADD(backing, readonly) {
	.flags = KVM_MEM_READONLY, .first = 500, .n = 24, .mapped_4k = 24,
};
FIXTURE_VARIANT_ADD(backing, hugetlb_2m) {
	.type = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .n2m = 2, .n = 1024,
};
/* The last page of one large page and the first of the next. */
FIXTURE_VARIANT_ADD(backing, hugetlb_2m_parts) {
	.type = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .n2m = 2, .first = 511, .n = 2,
};
FIXTURE_VARIANT_ADD(backing, hugetlb_2m_one_page) {
	.type = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .n2m = 1, .first = 1000, .n = 1,
};
/* Too small for a large page at either end, with one in the middle. */
FIXTURE_VARIANT_ADD(backing, hugetlb_2m_edges) {
	.type = VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, .skip = 500, .n2m = 1, .n = 1024,
	.mapped_4k = 512,
};

static struct page_sizes sizes(struct prefault *f)
{
	struct page_sizes s = {};

	TEST_ERROR_ON(!page_sizes_read(f->p.vm, &s), "no statistics of page sizes");
	return s;
}

/*
 * Without the TDP MMU, a fault on a 4K page maps up to seven neighbours that the host
 * has at hand.
 */
static bool is_count(int64_t got, int64_t want)
{
	return kvm_is_tdp_mmu_enabled() ? got == want : got >= want && got <= want + 14;
}

/* No fault is the guest's: neither now, nor when it comes and reads the range. */
static void check_no_fault(struct prefault *f, size_t first, size_t n)
{
	static const char *const names[] = { "pf_taken", "pf_fixed", "pf_spurious" };
	int64_t before[ARRAY_SIZE(names)], after;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		before[i] = vcpu_stat(f, names[i]);
	guest_reads(f, first, n, "the guest reads what was prefaulted");
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		after = vcpu_stat(f, names[i]);
		TEST_ASSERT_ORACLE(ORACLE_STATS, after == before[i],
				   "pages [%zu, +%zu) were prefaulted, but when the guest read them %s went from %ld to %ld",
				   first, n, names[i], before[i], after);
	}
}

static void check_dirty_log(struct prefault *f, const char *when, size_t first, size_t n)
{
	uint64_t log[1024 / 64] = {};
	size_t i;

	kvm_vm_get_dirty_log(f->p.vm, SLOT, log);
	for (i = 0; i < 1024; i++)
		TEST_ASSERT(!!(log[i / 64] & BIT(i % 64)) == (i >= first && i < first + n),
			    "%s: page %zu is%s dirty", when, i,
			    log[i / 64] & BIT(i % 64) ? "" : " not");
}

static void drain_dirty_log(struct prefault *f)
{
	uint64_t log[1024 / 64];

	kvm_vm_get_dirty_log(f->p.vm, SLOT, log);
}

KVM_TEST_F(backing, maps_what_the_guest_would)
{
	const gpa_t gpa = GPA + variant->skip * PAGE_SIZE;
	const bool huge = variant->type == VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB;
	struct page_sizes before, after;
	struct backing_mem mem;
	struct prefault f;
	int64_t taken;

	prefault_create(&f);
	backing_mem_alloc(&mem, variant->type, huge ? 3 * SZ_2M : 2 * SZ_2M, GPA);
	vm_mem_region_add_backing(f.p.vm, &mem, (char *)mem.hva + variant->skip * PAGE_SIZE,
				  gpa, SLOT, 1024, variant->flags);
	page_area_fill(&f.p.area, variant->skip, 1024, 1);
	guest_reads(&f, 0, 0, "before");
	taken = vcpu_stat(&f, "pf_taken");
	before = sizes(&f);
	breadcrumb("prefault pages [%zu, +%zu)", variant->first, variant->n);
	prefault_all(&f, gpa + variant->first * PAGE_SIZE, variant->n * PAGE_SIZE);
	after = sizes(&f);
	TEST_ASSERT_ORACLE(ORACLE_STATS, vcpu_stat(&f, "pf_taken") == taken,
			   "a prefault took pf_taken from %ld to %ld, but no guest has had a fault",
			   taken, vcpu_stat(&f, "pf_taken"));
	TEST_ASSERT_ORACLE(ORACLE_STATS,
			   is_count(after.n4k - before.n4k, variant->mapped_4k) &&
			   after.n2m - before.n2m == variant->n2m,
			   "pages [%zu, +%zu) were prefaulted: want %zu more 4K and %ld more 2M pages, got %ld and %ld",
			   variant->first, variant->n, variant->mapped_4k, variant->n2m,
			   after.n4k - before.n4k, after.n2m - before.n2m);

	/* A read may make a page dirty, but no later one once that was said. */
	if (variant->flags & KVM_MEM_LOG_DIRTY_PAGES)
		drain_dirty_log(&f);
	breadcrumb("once more, which changes nothing");
	prefault_all(&f, gpa + variant->first * PAGE_SIZE, variant->n * PAGE_SIZE);
	before = after, after = sizes(&f);
	TEST_ASSERT_ORACLE(ORACLE_STATS, after.n4k == before.n4k && after.n2m == before.n2m,
			   "a second prefault took %ld 4K and %ld 2M pages to %ld and %ld",
			   before.n4k, before.n2m, after.n4k, after.n2m);
	check_no_fault(&f, variant->skip + variant->first, variant->n);
	if (variant->flags & KVM_MEM_LOG_DIRTY_PAGES) {
		check_dirty_log(&f, "prefaulted again and read", 0, 0);
		page_worker_write(f.w, variant->first, variant->n, 2);
		check_dirty_log(&f, "after the guest has written", variant->first,
				variant->n);
	}
	if (!(variant->flags & KVM_MEM_READONLY))
		page_worker_write(f.w, variant->skip + variant->first, variant->n, 3);
	page_area_check(&f.p.area, "at the end");
	prefault_free(&f);
	backing_mem_free(&mem);
}

/* Of a protected VM, private pages from its guest_memfd, and shared ones from the hva. */
KVM_TEST(private_pages_are_mapped_as_such)
{
	const size_t first = 20, nr_private = 24;
	struct page_sizes before, after;
	struct prefault f;
	int memfd;

	require_prefault();
	__TEST_REQUIRE(kvm_has_vm_type(KVM_X86_SW_PROTECTED_VM),
		       "needs KVM_X86_SW_PROTECTED_VM: CONFIG_KVM_SW_PROTECTED_VM=y and kvm.tdp_mmu=1");
	prefault_create_type(&f, KVM_X86_SW_PROTECTED_VM);
	memfd = vm_create_guest_memfd(f.p.vm, NPAGES * PAGE_SIZE, 0);
	vm_mem_add(f.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES, 0, memfd, 0);
	page_area_fill(&f.p.area, 0, NPAGES, 1);
	vm_mem_set_private(f.p.vm, GPA + first * PAGE_SIZE, nr_private * PAGE_SIZE);
	guest_reads(&f, 0, 0, "before");
	before = sizes(&f);
	breadcrumb("prefault %lu pages, of which %zu are private", NPAGES, nr_private);
	prefault_all(&f, GPA, NPAGES * PAGE_SIZE);
	after = sizes(&f);
	TEST_ASSERT_ORACLE(ORACLE_STATS, is_count(after.n4k - before.n4k, NPAGES),
			   "%lu pages were prefaulted, but %ld more are mapped", NPAGES,
			   after.n4k - before.n4k);
	check_no_fault(&f, 0, first);
	check_no_fault(&f, first + nr_private, NPAGES - first - nr_private);
	memset(f.p.area.round, ROUND_NONE, AREA_PAGES);
	page_area_set_round(&f.p.area, first, nr_private, ROUND_ZERO);
	page_worker_read(f.w, "private pages that were prefaulted");
	page_worker_write(f.w, first, nr_private, 2);
	page_worker_read(f.w, "private pages that were written");
	close(memfd);
	prefault_free(&f);
}

/* ---- what cannot be mapped ---- */

static void expect_errno(struct prefault *f, struct kvm_pre_fault_memory range, int err,
			 const char *what)
{
	const struct kvm_pre_fault_memory was = range;

	breadcrumb("%s", what);
	TEST_ASSERT_ERRNO(__vcpu_pre_fault_memory(f->vcpu, &range), err,
			  "KVM_PRE_FAULT_MEMORY: %s", what);
	TEST_ASSERT(!memcmp(&range, &was, sizeof(range)),
		    "%s: the call failed, but it changed its argument", what);
}

#define RANGE(...)	((struct kvm_pre_fault_memory){ __VA_ARGS__ })

KVM_TEST(wrong_arguments_have_their_errno)
{
	struct page_sizes before, after;
	struct prefault f;
	unsigned int bit;

	prefault_create(&f);
	vm_userspace_mem_region_add(f.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES, 0);
	guest_reads(&f, 0, 0, "before");
	before = sizes(&f);
	for (bit = 0; bit < 64; bit += 7)
		expect_errno(&f, RANGE(.gpa = GPA, .size = PAGE_SIZE, .flags = BIT(bit)),
			     EINVAL, "a flag");
	expect_errno(&f, RANGE(.gpa = GPA + 1, .size = PAGE_SIZE), EINVAL, "unaligned gpa");
	expect_errno(&f, RANGE(.gpa = GPA + 0x800, .size = 0x800), EINVAL, "half a page");
	expect_errno(&f, RANGE(.gpa = GPA, .size = PAGE_SIZE + 8), EINVAL, "unaligned size");
	expect_errno(&f, RANGE(.gpa = GPA, .size = 0), EINVAL, "no size");
	expect_errno(&f, RANGE(.gpa = GPA, .size = -GPA), EINVAL, "a range up to 2^64");
	expect_errno(&f, RANGE(.gpa = GPA, .size = -PAGE_SIZE), EINVAL, "a range that wraps");
	TEST_ASSERT_ERRNO(__vcpu_pre_fault_memory(f.vcpu, NULL), EFAULT, "no argument");
	after = sizes(&f);
	TEST_ASSERT_ORACLE(ORACLE_STATS, before.n4k == after.n4k,
			   "calls that failed mapped %ld pages", after.n4k - before.n4k);
	prefault_free(&f);
}

KVM_TEST(gap_is_enoent)
{
	struct kvm_pre_fault_memory range;
	struct prefault f;
	struct page_sizes before, after;

	prefault_create(&f);
	/* Two slots that meet, a gap of one page, and another slot. */
	vm_userspace_mem_region_add(f.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 20, 0);
	vm_userspace_mem_region_add(f.p.vm, VM_MEM_SRC_SHMEM, GPA + 20 * PAGE_SIZE,
				    SLOT + 1, 11, 0);
	vm_userspace_mem_region_add(f.p.vm, VM_MEM_SRC_ANONYMOUS, GPA + 32 * PAGE_SIZE,
				    SLOT + 2, 32, 0);
	page_area_fill(&f.p.area, 0, 31, 1);
	page_area_fill(&f.p.area, 32, 32, 1);
	guest_reads(&f, 0, 0, "before");
	before = sizes(&f);

	breadcrumb("up to the gap and on");
	range = RANGE(.gpa = GPA + PAGE_SIZE, .size = 63 * PAGE_SIZE);
	TEST_ASSERT_EQ(__vcpu_pre_fault_memory(f.vcpu, &range), 0);
	expect_left(&range, GPA + 31 * PAGE_SIZE, 33 * PAGE_SIZE, "up to the gap");
	after = sizes(&f);
	TEST_ASSERT_ORACLE(ORACLE_STATS, is_count(after.n4k - before.n4k, 30),
			   "30 pages before the gap were prefaulted, %ld more are mapped",
			   after.n4k - before.n4k);
	expect_errno(&f, range, ENOENT, "from the gap on");
	expect_errno(&f, RANGE(.gpa = GPA + 64 * PAGE_SIZE, .size = PAGE_SIZE), ENOENT,
		     "behind all slots");
	TEST_ASSERT_ORACLE(ORACLE_STATS, sizes(&f).n4k == after.n4k,
			   "the prefault of a gap mapped %ld pages",
			   sizes(&f).n4k - after.n4k);
	page_worker_expect_gap(f.w, GPA + 31 * PAGE_SIZE);
	page_worker_expect_gap(f.w, GPA + 64 * PAGE_SIZE);
	guest_reads(&f, 0, 31, "before the gap");
	guest_reads(&f, 32, 32, "behind the gap");

	breadcrumb("memory that the host does not have");
	munmap((char *)addr_gpa2hva(f.p.vm, GPA + 40 * PAGE_SIZE), PAGE_SIZE);
	expect_errno(&f, RANGE(.gpa = GPA + 40 * PAGE_SIZE, .size = PAGE_SIZE), EFAULT,
		     "no host memory");
	range = RANGE(.gpa = GPA + 38 * PAGE_SIZE, .size = 4 * PAGE_SIZE);
	TEST_ASSERT_EQ(__vcpu_pre_fault_memory(f.vcpu, &range), 0);
	expect_left(&range, GPA + 40 * PAGE_SIZE, 2 * PAGE_SIZE, "no host memory");
	prefault_free(&f);
}

KVM_TEST(shadow_paging_is_eopnotsupp)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = PAGE_SIZE };
	struct page_vm p;

	__TEST_REQUIRE(!kvm_is_tdp_enabled() && kernel_at_least(6, 11),
		       "needs npt=0 or ept=0, and Linux 6.11");
	TEST_ASSERT_EQ(kvm_check_cap(KVM_CAP_PRE_FAULT_MEMORY), 0);
	page_vm_create(&p, 1, GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, PAGE_WORDS);
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES, 0);
	TEST_ASSERT_ERRNO(__vcpu_pre_fault_memory(p.vcpus[0], &range), EOPNOTSUPP,
			  "KVM_PRE_FAULT_MEMORY with shadow paging");
	page_area_fill(&p.area, 0, NPAGES, 1);
	page_worker_read(&p.workers[0], "after a prefault that is not supported");
	kvm_vm_free(p.vm);
}

NESTED_VARIANTS(l2)

/*
 * A vCPU in L2 with nested paging runs on shadow pages of L1's tables, which are not
 * looked up by the gpas that user space knows; there is a page at this gpa in either.
 */
KVM_TEST_F(l2, has_gpas_of_its_own)
{
	struct kvm_pre_fault_memory range;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;
	int ret;

	require_prefault();
	cpu = nested_create_with_ram(&n, 1, variant->paging);
	nested_map(&n, 0, NESTED_GPA, SZ_2M, PG_LEVEL_4K, NESTED_RWX);
	for (i = 0; i < 4; i++) {
		l2_read(cpu, i * PAGE_SIZE, NESTED_WORD(i));
		nested_run_in_l2(cpu, "round %u: L2", i);
		breadcrumb("round %u: prefault in L2", i);
		range = RANGE(.gpa = n.tables, .size = PAGE_SIZE);
		ret = __vcpu_pre_fault_memory(cpu->vcpu, &range);
		if (variant->paging)
			TEST_ASSERT_ERRNO(ret, EOPNOTSUPP,
					  "KVM_PRE_FAULT_MEMORY in an L2 with nested paging");
		else
			TEST_ASSERT(!ret && !range.size,
				    "KVM_PRE_FAULT_MEMORY in an L2 without nested paging returns %d, errno %d (%s)",
				    ret, errno, strerror(errno));
		l2_read(cpu, (16 + i) * PAGE_SIZE, NESTED_WORD(16 + i));
		nested_run(cpu, "round %u: after a prefault in L2", i);
		range = RANGE(.gpa = NESTED_GPA + (32 + i) * PAGE_SIZE, .size = PAGE_SIZE);
		ret = __vcpu_pre_fault_memory(cpu->vcpu, &range);
		TEST_ASSERT(!ret && !range.size,
			    "KVM_PRE_FAULT_MEMORY in an L1 that has been in L2 returns %d, errno %d (%s)",
			    ret, errno, strerror(errno));
	}
	nested_free(&n);
}

/* ---- against those who change the memslots ---- */

/* The vCPU's roots went with a slot, and it has not run since. */
KVM_TEST(roots_may_be_gone, .timeout = 10)
{
	struct prefault f;
	unsigned int i;

	prefault_create(&f);
	vm_userspace_mem_region_add(f.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES, 0);
	vm_userspace_mem_region_add(f.p.vm, VM_MEM_SRC_ANONYMOUS, GPA + SZ_2M, SLOT + 1,
				    NPAGES, 0);
	page_area_fill(&f.p.area, 0, NPAGES, 1);
	guest_reads(&f, 0, NPAGES, "before");
	for (i = 0; i < 4; i++) {
		breadcrumb("round %u: delete another slot, and prefault", i);
		vm_mem_region_reload(f.p.vm, SLOT + 1);
		prefault_all(&f, GPA, NPAGES * PAGE_SIZE);
		TEST_ASSERT_ORACLE(ORACLE_STATS, vm_mapped_pages(f.p.vm) >= (int64_t)NPAGES,
				   "%lu pages were prefaulted, but KVM maps %ld", NPAGES,
				   vm_mapped_pages(f.p.vm));
		if (i % 2)
			guest_reads(&f, 0, NPAGES, "prefaulted after other roots had gone");
	}
	prefault_free(&f);
}

#define BIG_PAGES	2048UL
#define NR_ROUNDS	12

struct rounds {
	_Atomic unsigned int go, done;
	bool on_and_on;
};

/*
 * Prefaults all, once a round. A call that starts when a slot is on its way out may
 * find its roots obsolete; Linux 7.2 then tries again for good, in the way of who
 * deletes the slot. So no call starts before the slot has gone, but with known_bugs.
 */
static void prefault_rounds(struct kvm_vcpu *vcpu)
{
	struct kvm_pre_fault_memory range;
	struct rounds *r = vcpu->thread_data;
	unsigned int n;

	for (n = 1; n <= NR_ROUNDS; n++) {
		while (r->go < n && !r->on_and_on)
			usleep(100);
		do {
			range = RANGE(.gpa = GPA, .size = BIG_PAGES * PAGE_SIZE);
			if (__vcpu_pre_fault_memory(vcpu, &range))
				TEST_ASSERT_ORACLE(ORACLE_ERRNO, errno == EAGAIN ||
						   errno == ENOENT || errno == EINTR,
						   "KVM_PRE_FAULT_MEMORY while a slot goes: errno %d (%s)",
						   errno, strerror(errno));
		} while (r->on_and_on && r->go <= n && n < NR_ROUNDS);
		r->done = n;
	}
}

KVM_TEST(slot_can_go_meanwhile, .timeout = 10)
{
	struct rounds r = { .on_and_on = kvm_test_option("known_bugs", 0) };
	struct backing_mem mem;
	struct prefault f;
	unsigned int i;
	int64_t before;

	prefault_create(&f);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS, BIG_PAGES * PAGE_SIZE, GPA);
	vm_mem_region_add_backing(f.p.vm, &mem, mem.hva, GPA, SLOT, BIG_PAGES, 0);
	page_area_fill(&f.p.area, 0, BIG_PAGES, 1);
	f.vcpu->thread_data = &r;
	vcpu_thread_start(f.vcpu, prefault_rounds);
	for (i = 1; i <= NR_ROUNDS; i++) {
		before = vm_mapped_pages(f.p.vm);
		r.go = i;
		/* In the middle of the range, which takes a while. */
		while (vm_mapped_pages(f.p.vm) < before + 16 && r.done < i)
			usleep(100);
		breadcrumb("round %u: delete the slot while it is prefaulted", i);
		vm_mem_region_delete(f.p.vm, SLOT);
		while (r.done < i && !r.on_and_on)
			usleep(100);
		vm_mem_region_add_backing(f.p.vm, &mem, mem.hva, GPA, SLOT, BIG_PAGES, 0);
	}
	vcpu_thread_join(f.vcpu);
	guest_reads(&f, 0, BIG_PAGES, "after all");
	prefault_free(&f);
	backing_mem_free(&mem);
}

KVM_TEST_MAIN()
