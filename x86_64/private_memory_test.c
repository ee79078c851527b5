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

static void mix_create(struct mix *m, uint32_t nr_vcpus, gpa_t gpa, size_t npages)
{
	__TEST_REQUIRE(kvm_has_vm_type(KVM_X86_SW_PROTECTED_VM),
		       "needs KVM_X86_SW_PROTECTED_VM: CONFIG_KVM_SW_PROTECTED_VM=y and kvm.tdp_mmu=1");
	memset(m, 0, sizeof(*m));
	page_vm_create_type(&m->p, KVM_X86_SW_PROTECTED_VM, nr_vcpus, gpa,
			    npages * PAGE_SIZE, PG_LEVEL_4K, PAGE_WORDS / 4);
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
	mix_create(&m, 1, GPA + SZ_2M - 100 * PAGE_SIZE, 256);
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

	mix_create(&m, 1, GPA, 32);
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

	mix_create(&m, 1, GPA, 256);
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

	mix_create(&m, 1, GPA, 8);
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

	breadcrumb("a private gap is no MMIO");
	page_worker_expect_gap(m.w, page_gpa(&m, 7));
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

KVM_TEST_MAIN()
