// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of a protected VM is private or shared, as its attribute says, and has
 * contents of its own in either state: what the guest wrote on one side is still
 * there when the page has been to the other side and back, and never shows on the
 * other. An access that the memslot has no memory for ends with EFAULT and
 * KVM_EXIT_MEMORY_FAULT, and works once the page is converted. No large page lies
 * over both kinds; when the last page is shared again, the large page comes back.
 *
 * What breaks it: a conversion that zaps one page or one slot too few, attributes
 * that are off by one or kept for a deleted range, a gfn where the offset into the
 * guest_memfd is meant, large pages that are not, or only once, told of the change.
 */
#include "guest_pages.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(private_memory_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_MEMORY_ATTRIBUTES),
				     NEED_CAP(KVM_CAP_USER_MEMORY2)), .mem_mb = 128 },
	.fixes = FIXES("9129633d568e KVM: x86/mmu: Prevent installing hugepages when mem attributes are changing"));

#define GPA		0x40000000UL
#define SLOT		1
#define PRIVATE		KVM_MEMORY_EXIT_FLAG_PRIVATE
#define MAX_PAGES	2048

/* What each page holds on either side, by its round. */
struct mix {
	struct page_vm p;
	struct page_worker *w;
	size_t npages;
	uint8_t shared[MAX_PAGES], private[MAX_PAGES];
	bool is_private[MAX_PAGES];
	int memfd;
	unsigned int round;
};

static void require_protected_vms(void)
{
	__TEST_REQUIRE(kvm_has_vm_type(KVM_X86_SW_PROTECTED_VM),
		       "needs KVM_X86_SW_PROTECTED_VM: CONFIG_KVM_SW_PROTECTED_VM=y and kvm.tdp_mmu=1");
}

static void mix_create(struct mix *m, uint32_t nr_vcpus, gpa_t gpa, size_t npages,
		       int leaf)
{
	require_protected_vms();
	memset(m, 0, sizeof(*m));
	page_vm_create_type(&m->p, KVM_X86_SW_PROTECTED_VM, nr_vcpus, gpa,
			    npages * PAGE_SIZE, leaf, PAGE_WORDS / 4);
	m->w = &m->p.workers[0];
	m->npages = npages;
	m->memfd = -1;
	memset(m->private, ROUND_ZERO, sizeof(m->private));
}

static gpa_t page_gpa(const struct mix *m, size_t page)
{
	return m->p.area.gpa + page * PAGE_SIZE;
}

/* The guest's view follows the attributes. */
static void mix_show(struct mix *m)
{
	size_t i;

	for (i = 0; i < m->npages; i++)
		m->p.area.round[i] = m->is_private[i] ? m->private[i] : m->shared[i];
}

static void mix_convert(struct mix *m, size_t first, size_t n, bool to_private)
{
	breadcrumb("make pages [%zu, %zu) %s", first, first + n,
		   to_private ? "private" : "shared");
	vm_set_memory_attributes(m->p.vm, page_gpa(m, first), n * PAGE_SIZE,
				 to_private ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
	memset(m->is_private + first, to_private, n);
	mix_show(m);
}

static void mix_write(struct mix *m, size_t first, size_t n)
{
	size_t i;

	m->round = m->round % 200 + 1;
	page_worker_write(m->w, first, n, m->round);
	for (i = first; i < first + n; i++)
		(m->is_private[i] ? m->private : m->shared)[i] = m->round;
}

/* The host compares what is shared, also of pages that are not at the moment. */
static void mix_check_shared(struct mix *m, const char *when)
{
	memcpy(m->p.area.round, m->shared, m->npages);
	page_area_check(&m->p.area, when);
	mix_show(m);
}

static void mix_fill_shared(struct mix *m)
{
	page_area_fill(&m->p.area, 0, m->npages, 201);
	memset(m->shared, 201, m->npages);
}

static void random_range(size_t npages, size_t *first, size_t *n)
{
	const size_t most = test_random() % 4 ? 24 : npages;

	*first = test_random() % npages;
	*n = 1 + test_random() % most;
	if (*n > npages - *first)
		*n = npages - *first;
}

/* ---- data ---- */

/* Two slots, and their ranges of the guest_memfd the other way round. */
static void add_crossed_slots(struct mix *m)
{
	const size_t half = m->npages / 2;

	m->memfd = vm_create_guest_memfd(m->p.vm, (m->npages + 3) * PAGE_SIZE, 0);
	vm_mem_add(m->p.vm, VM_MEM_SRC_ANONYMOUS, page_gpa(m, 0), SLOT, half, 0,
		   m->memfd, (half + 3) * PAGE_SIZE);
	vm_mem_add(m->p.vm, VM_MEM_SRC_SHMEM, page_gpa(m, half), SLOT + 1, half, 0,
		   m->memfd, PAGE_SIZE);
	mix_fill_shared(m);
}

KVM_TEST(each_side_keeps_its_data)
{
	unsigned int round;
	size_t first, n;
	struct mix m;

	/* Across a 2M border, but not from one on. */
	mix_create(&m, 1, GPA + SZ_2M - 100 * PAGE_SIZE, 256, PG_LEVEL_4K);
	add_crossed_slots(&m);
	page_worker_read(m.w, "at the start");
	for (round = 0; round < 40; round++) {
		random_range(m.npages, &first, &n);
		mix_convert(&m, first, n, test_random() % 8 < 5);
		page_worker_read(m.w, "after a conversion");
		random_range(m.npages, &first, &n);
		mix_write(&m, first, n);
		if (round % 4 == 3) {
			random_range(m.npages, &first, &n);
			breadcrumb("punch pages [%zu, %zu) out of the guest_memfd",
				   first, first + n);
			vm_guest_mem_punch_hole(m.p.vm, page_gpa(&m, first),
						n * PAGE_SIZE);
			memset(m.private + first, ROUND_ZERO, n);
			mix_show(&m);
			page_worker_read(m.w, "after a hole was punched");
			mix_check_shared(&m, "after a hole was punched");
		}
	}
	mix_convert(&m, 0, m.npages, false);
	page_worker_read(m.w, "all is shared again");
	mix_check_shared(&m, "all is shared again");
	close(m.memfd);
	kvm_vm_free(m.p.vm);
}

/* Attributes are the VM's: slots come and go, private contents are the file's. */
KVM_TEST(attributes_outlive_a_slot)
{
	struct mix m;

	mix_create(&m, 1, GPA, 32, PG_LEVEL_4K);
	breadcrumb("attributes of a gap");
	vm_mem_set_private(m.p.vm, page_gpa(&m, 8), 16 * PAGE_SIZE);
	memset(m.is_private + 8, true, 16);
	m.memfd = vm_create_guest_memfd(m.p.vm, m.npages * PAGE_SIZE, 0);
	vm_mem_add(m.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, m.npages, 0, m.memfd, 0);
	mix_fill_shared(&m);
	mix_show(&m);
	page_worker_read(m.w, "attributes were set before there was a slot");
	mix_write(&m, 0, m.npages);
	page_worker_read(m.w, "written");

	breadcrumb("delete the slot, and add it again");
	vm_mem_region_delete(m.p.vm, SLOT);
	vm_mem_add(m.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, m.npages, 0, m.memfd, 0);
	mix_fill_shared(&m);
	mix_show(&m);
	page_worker_read(m.w, "the slot is new, its guest_memfd is the old one");
	mix_convert(&m, 8, 16, false);
	page_worker_read(m.w, "all is shared");
	close(m.memfd);
	kvm_vm_free(m.p.vm);
}

/* The pages of the range are unmapped, and no others. */
KVM_TEST(conversion_unmaps_its_range)
{
	static const struct { size_t first, n; } ranges[] = {
		{ 0, 1 }, { 127, 2 }, { 255, 1 }, { 1, 254 }, { 0, 256 },
	};
	int64_t before, after, flushes;
	struct mix m;
	size_t i;
	int on;

	mix_create(&m, 1, GPA, 256, PG_LEVEL_4K);
	add_crossed_slots(&m);
	for (i = 0; i < 2 * ARRAY_SIZE(ranges); i++) {
		on = !(i & 1);
		page_worker_read(m.w, "before a conversion");
		before = vm_mapped_pages(m.p.vm);
		flushes = vm_tlb_flush_requests(m.p.vm);
		mix_convert(&m, ranges[i / 2].first, ranges[i / 2].n, on);
		after = vm_mapped_pages(m.p.vm);
		vm_expect_tlb_flush(m.p.vm, flushes, "mapped pages were converted");
		TEST_ASSERT_ORACLE(ORACLE_STATS,
				   before - after == (int64_t)ranges[i / 2].n,
				   "pages [%zu, +%zu) became %s, but of %ld mapped pages %ld are left",
				   ranges[i / 2].first, ranges[i / 2].n,
				   on ? "private" : "shared", before, after);
		before = after;
		breadcrumb("the same once more, which changes nothing");
		vm_set_memory_attributes(m.p.vm, page_gpa(&m, ranges[i / 2].first),
					 ranges[i / 2].n * PAGE_SIZE,
					 on ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0);
		TEST_ASSERT_ORACLE(ORACLE_STATS, vm_mapped_pages(m.p.vm) == before,
				   "a conversion that changes nothing took %ld mapped pages to %ld",
				   before, vm_mapped_pages(m.p.vm));
	}
	close(m.memfd);
	kvm_vm_free(m.p.vm);
}

/* ---- exits ---- */

/* @gpa is private and has no private memory; page_gpa(0) is shared. */
static void expect_faults(struct mix *m, gpa_t gpa)
{
	bool is_write;
	int again;

	for (is_write = false;; is_write = true) {
		page_worker_access(m->w, gpa, is_write, 0);
		for (again = 0; again < 2; again++)
			vcpu_expect_memory_fault(m->p.vcpus[0], gpa, PRIVATE);
		vm_mem_set_shared(m->p.vm, align_down(gpa, PAGE_SIZE), PAGE_SIZE);
		page_worker_end(m->w);
		vm_mem_set_private(m->p.vm, align_down(gpa, PAGE_SIZE), PAGE_SIZE);
		if (is_write)
			break;
	}
}

KVM_TEST(private_page_without_private_memory_exits)
{
	struct mix m;

	mix_create(&m, 1, GPA, 8, PG_LEVEL_4K);
	vm_userspace_mem_region_add(m.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 6, 0);
	page_area_fill(&m.p.area, 0, 6, 1);
	page_worker_read(m.w, "all is shared");
	breadcrumb("page 3 is private");
	vm_mem_set_private(m.p.vm, page_gpa(&m, 3), PAGE_SIZE);
	expect_faults(&m, page_gpa(&m, 3));
	expect_faults(&m, page_gpa(&m, 3) + 0xff8);
	page_area_set_round(&m.p.area, 3, 1, ROUND_NONE);
	page_worker_read(m.w, "page 3 is private");

	breadcrumb("an access that crosses into page 3");
	page_worker_access(m.w, page_gpa(&m, 3) - 4, false, 0);
	vcpu_expect_memory_fault(m.p.vcpus[0], page_gpa(&m, 3), PRIVATE);
	vm_mem_set_shared(m.p.vm, page_gpa(&m, 3), PAGE_SIZE);
	page_worker_end(m.w);

	/* But what was MMIO before stays it. */
	breadcrumb("a private gap is no MMIO");
	vm_mem_set_private(m.p.vm, page_gpa(&m, 7), PAGE_SIZE);
	page_worker_access(m.w, page_gpa(&m, 7), false, 0);
	vcpu_expect_memory_fault(m.p.vcpus[0], page_gpa(&m, 7), PRIVATE);
	vm_mem_set_shared(m.p.vm, page_gpa(&m, 7), PAGE_SIZE);
	vcpu_expect_mmio_read(m.p.vcpus[0], page_gpa(&m, 7), 8, 0x1234);
	page_worker_end(m.w);
	TEST_ASSERT_EQ(m.w->job->value, 0x1234UL);
	page_worker_expect_gap(m.w, page_gpa(&m, 7));
	kvm_vm_free(m.p.vm);
}

/* ---- large pages ---- */

#define PAGES_2M	(SZ_2M / PAGE_SIZE)

FIXTURE_VARIANT(large) {
	size_t skip;		/* pages between a 2M border and the slot */
	size_t npages;
};
KVM_FIXTURE(large)

FIXTURE_VARIANT_ADD(large, aligned) { 0, 3 * PAGES_2M };
/* A large page in the middle, and two ends that are too small. */
FIXTURE_VARIANT_ADD(large, unaligned) { 200, 2 * PAGES_2M };

struct large_vm {
	struct mix m;
	struct backing_mem mem;
	const FIXTURE_VARIANT(large) *variant;
	int64_t base_4k;
};

/* The guest reads everything: large pages are where they may be, and only there. */
static void check_large(struct large_vm *l, const char *when)
{
	const size_t skip = l->variant->skip, npages = l->variant->npages;
	int64_t want_2m = 0, want_4k = 0;
	struct page_sizes sizes;
	size_t page, i, nr_private;

	page_worker_read(l->m.w, when);
	for (page = 0; page < l->m.npages; page += PAGES_2M) {
		for (nr_private = 0, i = page; i < page + PAGES_2M; i++)
			nr_private += l->m.is_private[i];
		if (!nr_private && page >= skip && page + PAGES_2M <= skip + npages)
			want_2m++;
	}
	want_4k = npages - want_2m * PAGES_2M;
	if (!page_sizes_read(l->m.p.vm, &sizes))
		return;
	if (l->base_4k < 0)
		l->base_4k = sizes.n4k - want_4k;
	TEST_ASSERT_ORACLE(ORACLE_STATS, sizes.n2m == want_2m &&
			   sizes.n4k - l->base_4k == want_4k,
			   "%s: KVM must map the slot with %ld 2M and %ld 4K pages, got %ld and %ld",
			   when, want_2m, want_4k, sizes.n2m, sizes.n4k - l->base_4k);
}

static void large_create(struct large_vm *l, const FIXTURE_VARIANT(large) *variant)
{
	const gpa_t gpa = GPA + variant->skip * PAGE_SIZE;

	l->variant = variant;
	l->base_4k = -1;
	mix_create(&l->m, 1, GPA, 3 * PAGES_2M, PG_LEVEL_2M);
	l->m.memfd = vm_create_guest_memfd(l->m.p.vm, variant->npages * PAGE_SIZE, 0);
	backing_mem_alloc(&l->mem, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, 3 * SZ_2M, GPA);
	vm_mem_add_backing(l->m.p.vm, &l->mem,
			   (char *)l->mem.hva + variant->skip * PAGE_SIZE, gpa, SLOT,
			   variant->npages, 0, l->m.memfd, 0);
	page_area_fill(&l->m.p.area, variant->skip, variant->npages, 1);
	memset(l->m.shared + variant->skip, 1, variant->npages);
	memset(l->m.private, ROUND_NONE, sizeof(l->m.private));
	memset(l->m.private + variant->skip, ROUND_ZERO, variant->npages);
}

KVM_TEST_F(large, no_page_over_both_kinds, .huge_2m = 3)
{
	static const struct { size_t first, n; } ranges[] = {
		{ 512, 1 }, { 1023, 1 }, { 511, 2 }, { 1023, 2 }, { 700, 100 },
		{ 300, 300 }, { 512, 512 }, { 256, 1024 }, { 0, 1536 },
	};
	static const size_t ends[] = { 512, 1023 };
	struct large_vm l;
	size_t i;

	large_create(&l, variant);
	check_large(&l, "all is shared");
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		mix_convert(&l.m, ranges[i].first, ranges[i].n, true);
		check_large(&l, "a range is private");
		mix_convert(&l.m, ranges[i].first, ranges[i].n, false);
		check_large(&l, "all is shared again");
	}
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		mix_convert(&l.m, ends[i], 1, true);
		mix_convert(&l.m, 700, 1, true);
		mix_convert(&l.m, 700, 1, false);
		check_large(&l, "the first or last page of a 2M is private");
		mix_convert(&l.m, ends[i], 1, false);
		check_large(&l, "it is shared");
	}
	mix_convert(&l.m, 600, 1, true);
	mix_convert(&l.m, 900, 2, true);
	check_large(&l, "two ranges are private");
	mix_convert(&l.m, 600, 1, false);
	check_large(&l, "the first of two is shared again");
	mix_convert(&l.m, 901, 1, false);
	check_large(&l, "one page is left");
	mix_convert(&l.m, 900, 1, false);
	check_large(&l, "all of both is shared again");
	close(l.m.memfd);
	kvm_vm_free(l.m.p.vm);
	backing_mem_free(&l.mem);
}

/* Neither when slots are made anew over pages that are private already. */
KVM_TEST_F(large, new_slot_knows_the_attributes, .huge_2m = 3)
{
	const size_t skip = variant->skip, npages = variant->npages;
	static const size_t pages[] = { 512, 1023, 777, 0 };
	struct large_vm l;
	size_t i;

	large_create(&l, variant);
	check_large(&l, "all is shared");
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		vm_mem_region_delete(l.m.p.vm, SLOT);
		mix_convert(&l.m, pages[i], 1, true);
		vm_mem_add_backing(l.m.p.vm, &l.mem, (char *)l.mem.hva + skip * PAGE_SIZE,
				   GPA + skip * PAGE_SIZE, SLOT, npages, 0, l.m.memfd, 0);
		check_large(&l, "a page was made private before the slot was there");
		mix_convert(&l.m, pages[i], 1, false);
		check_large(&l, "it is shared");
	}
	close(l.m.memfd);
	kvm_vm_free(l.m.p.vm);
	backing_mem_free(&l.mem);
}

#define PAGES_1G	(SZ_1G / PAGE_SIZE)

KVM_TEST(no_1g_page_over_both_kinds, .huge_1g = 1)
{
	static const gpa_t at[] = { GPA, GPA + SZ_1G / 2, GPA + SZ_1G - PAGE_SIZE };
	struct page_sizes s;
	struct page_vm p;
	unsigned int i;

	require_protected_vms();
	__TEST_REQUIRE(guest_has_gbpages(), "needs a CPU with 1G pages");
	page_vm_create_type(&p, KVM_X86_SW_PROTECTED_VM, 1, GPA, SZ_1G, PG_LEVEL_1G,
			    PAGE_WORDS);
	vm_userspace_mem_region_add(p.vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB, GPA, SLOT,
				    PAGES_1G, 0);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		page_worker_read64(&p.workers[0], at[i]);
		TEST_ERROR_ON(!page_sizes_read(p.vm, &s), "no statistics");
		TEST_ASSERT_ORACLE(ORACLE_STATS, s.n1g == 1,
				   "gpa 0x%lx was read: want one 1G page, got %ld", at[i], s.n1g);
	}
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		breadcrumb("gpa 0x%lx is private", at[i]);
		vm_mem_set_private(p.vm, at[i], PAGE_SIZE);
		page_worker_read64(&p.workers[0], at[(i + 1) % 3]);
		page_worker_read64(&p.workers[0], at[(i + 2) % 3]);
		TEST_ERROR_ON(!page_sizes_read(p.vm, &s), "no statistics");
		TEST_ASSERT_ORACLE(ORACLE_STATS, !s.n1g && s.n2m == 2,
				   "gpa 0x%lx is private: want 0 1G and 2 2M pages, got %ld and %ld",
				   at[i], s.n1g, s.n2m);
		page_worker_access(&p.workers[0], at[i], false, 0);
		vcpu_expect_memory_fault(p.vcpus[0], at[i], PRIVATE);
		vm_mem_set_shared(p.vm, at[i], PAGE_SIZE);
		page_worker_end(&p.workers[0]);
		TEST_ERROR_ON(!page_sizes_read(p.vm, &s), "no statistics");
		TEST_ASSERT_ORACLE(ORACLE_STATS, s.n1g == 1 && !s.n2m,
				   "all is shared again: want one 1G and no 2M page, got %ld and %ld",
				   s.n1g, s.n2m);
	}
	kvm_vm_free(p.vm);
}

/*
 * It takes a while to change the attributes of a range. Another vCPU that faults
 * on the same 2M meanwhile, outside of the range, must not get a large page.
 */
KVM_TEST(no_large_page_while_attributes_change, .huge_2m = 1)
{
	const size_t page = PAGES_2M - 1, long_range = 1UL << 16;
	struct page_worker *other;
	struct page_sizes s;
	struct mix m;
	unsigned int i;
	uint64_t got, *shared;

	mix_create(&m, 2, GPA, PAGES_2M, PG_LEVEL_2M);
	m.memfd = vm_create_guest_memfd(m.p.vm, SZ_2M, 0);
	vm_mem_add(m.p.vm, VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB, GPA, SLOT, PAGES_2M, 0,
		   m.memfd, 0);
	mix_fill_shared(&m);
	shared = addr_gpa2hva(m.p.vm, page_gpa(&m, page));
	*shared = 0x5a5ed;
	page_worker_read(m.w, "all is shared");
	other = &m.p.workers[1];
	for (i = 0; i < 4; i++) {
		page_worker_hot(other, PAGES_HOT_READ, GPA);
		breadcrumb("round %u: make page %zu and a long gap private", i, page);
		vm_mem_set_private(m.p.vm, page_gpa(&m, page), long_range * PAGE_SIZE);
		page_worker_go(other);
		got = page_worker_read64(m.w, page_gpa(&m, page));
		TEST_ASSERT(!got, "gpa 0x%lx is private and zero, but the guest reads 0x%lx",
			    page_gpa(&m, page), got);
		if (page_sizes_read(m.p.vm, &s))
			TEST_ASSERT_ORACLE(ORACLE_STATS, !s.n2m,
					   "%ld 2M pages are mapped over a range with private pages",
					   s.n2m);
		vm_mem_set_shared(m.p.vm, page_gpa(&m, page), long_range * PAGE_SIZE);
		got = page_worker_read64(m.w, page_gpa(&m, page));
		TEST_ASSERT(got == *shared, "gpa 0x%lx is shared: want 0x%lx, got 0x%lx",
			    page_gpa(&m, page), *shared, got);
		if (page_sizes_read(m.p.vm, &s))
			TEST_ASSERT_ORACLE(ORACLE_STATS, s.n2m == 1,
					   "all is shared again: want one 2M page, got %ld",
					   s.n2m);
	}
	page_worker_hot(other, PAGES_HOT_READ, GPA);
	page_worker_stop(other, "at the end");
	close(m.memfd);
	kvm_vm_free(m.p.vm);
}

/* ---- wrong arguments ---- */

struct attributes {
	gpa_t gpa;
	uint64_t size, attributes, flags;
	const char *what;
};

static void expect_einval(struct kvm_vm *vm, const struct attributes *a)
{
	struct kvm_memory_attributes args = {
		.address = a->gpa, .size = a->size, .attributes = a->attributes,
		.flags = a->flags,
	};

	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &args), EINVAL,
			  "KVM_SET_MEMORY_ATTRIBUTES: %s", a->what);
}

KVM_TEST(wrong_attributes_are_einval)
{
	const uint64_t private = KVM_MEMORY_ATTRIBUTE_PRIVATE;
	const struct attributes bad[] = {
		{ GPA + 1, PAGE_SIZE, private, 0, "unaligned gpa" },
		{ GPA, PAGE_SIZE + 1, private, 0, "unaligned size" },
		{ GPA, 0, private, 0, "no size" },
		{ GPA, -GPA, private, 0, "a range up to 2^64" },
		{ -PAGE_SIZE, 2 * PAGE_SIZE, private, 0, "a range that wraps" },
		{ GPA, PAGE_SIZE, private, 1, "a flag" },
		{ GPA, PAGE_SIZE, private, BIT(63), "the last flag" },
	};
	struct attributes unknown = { GPA, PAGE_SIZE, 0, 0, "an unknown attribute" };
	struct kvm_vm *plain;
	struct mix m;
	size_t i;

	mix_create(&m, 1, GPA, 8, PG_LEVEL_4K);
	vm_userspace_mem_region_add(m.p.vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 8, 0);
	mix_fill_shared(&m);
	TEST_ASSERT_EQ((uint64_t)vm_check_cap(m.p.vm, KVM_CAP_MEMORY_ATTRIBUTES), private);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_einval(m.p.vm, &bad[i]);
	for (i = 0; i < 64; i++) {
		unknown.attributes = BIT(i);
		if (unknown.attributes != private)
			expect_einval(m.p.vm, &unknown);
	}
	page_worker_read(m.w, "calls that failed");

	/* A VM that has no private memory knows no attribute. */
	plain = vm_create_barebones();
	TEST_ASSERT_EQ(vm_check_cap(plain, KVM_CAP_MEMORY_ATTRIBUTES), 0);
	unknown.attributes = private;
	expect_einval(plain, &unknown);
	kvm_vm_free(plain);
	kvm_vm_free(m.p.vm);
}

KVM_TEST_MAIN()
