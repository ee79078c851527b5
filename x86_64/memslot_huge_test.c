// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot of nearly all that a guest can address, and what KVM derives from the
 * number of pages that a VM has: page numbers in such a slot need more than 32
 * bits once they are bytes, bits of a log, or multiplied by anything.
 *
 * What breaks this: an int where a page count is computed, a total that forgets
 * slots which were deleted or counts some twice.
 */
#include <stdlib.h>

#include "guest_pages.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_huge_test, .needs = { .mem_mb = 256 },
	       .fixes = FIXES("bc8a3d8925a8 kvm: mmu: Fix overflow on kvm mmu page limit calculation"));

#define SLOT		1
#define HUGE_GPA	(8 * SZ_1G)
#define KEY		0x5a5a0ff05a5a0ff0UL

/* ---- guest ---- */

static gva_t guest_target;

static void guest_flip_target(void)
{
	for (;;) {
		uint64_t value = guest_read64(guest_target);

		guest_write64(guest_target, value ^ KEY);
		GUEST_SYNC(value);
	}
}

/* ---- host ---- */

struct huge {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct backing_mem mem;		/* reserved only: it is never there as a whole */
	size_t npages;
};

/* Without the TDP MMU, metadata take 8 bytes a page. */
static size_t huge_size(struct kvm_vm *vm)
{
	const size_t top = (vm->max_gfn + 1) << PAGE_SHIFT;
	const size_t most = kvm_is_tdp_mmu_enabled() ? 1000 * SZ_1G : 8 * SZ_1G;

	return top - HUGE_GPA < most ? top - HUGE_GPA : most;
}

static void huge_create(struct huge *h)
{
	h->vm = vm_create_with_one_vcpu(&h->vcpu, guest_flip_target);
	h->npages = huge_size(h->vm) / PAGE_SIZE;
	backing_mem_alloc(&h->mem, VM_MEM_SRC_ANONYMOUS, h->npages * PAGE_SIZE, HUGE_GPA);
}

static void huge_add(struct huge *h, uint32_t flags)
{
	breadcrumb("slot of 0x%zx pages, flags 0x%x", h->npages, flags);
	vm_mem_region_add_backing(h->vm, &h->mem, h->mem.hva, HUGE_GPA, SLOT, h->npages,
				  flags);
}

static void huge_free(struct huge *h)
{
	kvm_vm_free(h->vm);
	backing_mem_free(&h->mem);
}

/* The guest reads what the host wrote to the page, and the host what it writes. */
static void flip(struct huge *h, size_t page)
{
	const gpa_t gpa = HUGE_GPA + page * PAGE_SIZE;
	uint64_t *word = (uint64_t *)((char *)h->mem.hva + page * PAGE_SIZE) + page % 512;
	struct ucall uc;

	test_step("page 0x%zx of 0x%zx, gpa 0x%lx", page, h->npages, gpa);
	*word = page << 12 | 0xabc;
	write_guest_global(h->vm, guest_target,
			   vm_map_gpa(h->vm, gpa, PAGE_SIZE) + page % 512 * 8);
	vcpu_run_to_sync(h->vcpu, &uc);
	TEST_ASSERT(uc.args[0] == (page << 12 | 0xabc) && *word == (uc.args[0] ^ KEY),
		    "page 0x%zx of 0x%zx, gpa 0x%lx: the guest read 0x%lx, want 0x%lx; the host reads 0x%lx",
		    page, h->npages, gpa, uc.args[0], page << 12 | 0xabc, *word);
}

/* Both ends, and around each power of two: what is lost of a number shows there. */
static size_t each_sample(struct huge *h, void (*fn)(struct huge *h, size_t page))
{
	size_t page, n = 0;

	for (page = 1UL << 19; page < h->npages; page *= 2, n += 2) {
		fn(h, page - 1);
		fn(h, page);
	}
	fn(h, 0);
	fn(h, h->npages - 1);
	return n + 2;
}

KVM_TEST(each_page_is_its_own)
{
	struct huge h;

	huge_create(&h);
	huge_add(&h, 0);
	each_sample(&h, flip);
	breadcrumb("delete and create");
	vm_mem_region_reload(h.vm, SLOT);
	each_sample(&h, flip);
	huge_free(&h);
}

static uint64_t *log_words;

static void expect_logged(struct huge *h, size_t page)
{
	const uint64_t bit = BIT_ULL(page % 64);

	TEST_ASSERT(log_words[page / 64] & bit,
		    "page 0x%zx of 0x%zx was written to and is not in the dirty log", page,
		    h->npages);
	log_words[page / 64] &= ~bit;
}

KVM_TEST(dirty_log_has_the_pages_that_were_written)
{
	struct huge h;
	size_t i, words;

	huge_create(&h);
	huge_add(&h, KVM_MEM_LOG_DIRTY_PAGES);
	each_sample(&h, flip);
	words = align_up(h.npages, 64) / 64;
	log_words = calloc(words, sizeof(*log_words));
	TEST_ERROR_ON(!log_words, "no memory for a dirty log of 0x%zx pages", h.npages);
	breadcrumb("read the dirty log");
	kvm_vm_get_dirty_log(h.vm, SLOT, log_words);
	each_sample(&h, expect_logged);
	for (i = 0; i < words; i++)
		TEST_ASSERT(!log_words[i],
			    "nobody wrote to page 0x%zx of 0x%zx, but word 0x%zx of the dirty log is 0x%lx",
			    i * 64, h.npages, i, log_words[i]);
	free(log_words);
	huge_free(&h);
}

/* ---- how many shadow pages KVM lets a VM have ---- */

#define PAGES_PER_MMU_PAGE	50
#define MIN_MMU_PAGES		64

/* KVM has some slots of its own, of a few pages. */
static void expect_mmu_pages(struct kvm_vm *vm, const char *when)
{
	int64_t total = 0, want, got = __vm_ioctl(vm, KVM_GET_NR_MMU_PAGES, NULL);
	struct userspace_mem_region *r;

	__TEST_REQUIRE(got >= 0 || (errno != ENOTTY && errno != EINVAL),
		       "needs KVM_GET_NR_MMU_PAGES, which this kernel lacks");
	for (r = vm->regions; r; r = r->next)
		total += r->size / PAGE_SIZE;
	want = total / PAGES_PER_MMU_PAGE;
	if (want < MIN_MMU_PAGES)
		want = MIN_MMU_PAGES;
	TEST_ASSERT_ORACLE(ORACLE_STATS, got >= want && got <= want + 1,
			   "%s: the memslots have %ld pages, so %ld shadow pages are to be allowed, but KVM_GET_NR_MMU_PAGES is %ld",
			   when, total, want, got);
}

KVM_TEST(shadow_pages_are_allowed_in_proportion)
{
	struct huge h;

	huge_create(&h);
	expect_mmu_pages(h.vm, "small VM");
	huge_add(&h, 0);
	expect_mmu_pages(h.vm, "slot created");
	vm_mem_region_set_flags(h.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_mmu_pages(h.vm, "flags changed");
	vm_mem_region_move(h.vm, SLOT, HUGE_GPA - SZ_1G);
	expect_mmu_pages(h.vm, "slot moved");
	vm_mem_region_delete(h.vm, SLOT);
	expect_mmu_pages(h.vm, "slot deleted");
	huge_free(&h);
}

static void expect_requested(struct kvm_vm *vm, int64_t want, const char *when)
{
	int64_t got = __vm_ioctl(vm, KVM_GET_NR_MMU_PAGES, NULL);

	__TEST_REQUIRE(got >= 0 || (errno != ENOTTY && errno != EINVAL),
		       "needs KVM_GET_NR_MMU_PAGES, which this kernel lacks");
	TEST_ASSERT_ORACLE(ORACLE_STATS, got == want,
			   "%s: KVM_SET_NR_MMU_PAGES has set %ld, but KVM_GET_NR_MMU_PAGES is %ld",
			   when, want, got);
}

/* Once user space has said how many it wants, the memslots do not count. */
KVM_TEST(shadow_pages_that_were_asked_for_stay)
{
	static const unsigned long requests[] = { 1000, MIN_MMU_PAGES, 100000 };
	struct huge h;
	size_t i;

	huge_create(&h);
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		test_step("ask for %lu shadow pages", requests[i]);
		vm_ioctl(h.vm, KVM_SET_NR_MMU_PAGES, requests[i]);
		expect_requested(h.vm, requests[i], "at once");
		TEST_ASSERT_ERRNO(__vm_ioctl(h.vm, KVM_SET_NR_MMU_PAGES, MIN_MMU_PAGES - 1UL),
				  EINVAL, "%u shadow pages", MIN_MMU_PAGES - 1);
		huge_add(&h, 0);
		expect_requested(h.vm, requests[i], "slot created");
		vm_mem_region_set_flags(h.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		vm_mem_region_move(h.vm, SLOT, HUGE_GPA - SZ_1G);
		expect_requested(h.vm, requests[i], "slot changed and moved");
		vm_mem_region_delete(h.vm, SLOT);
		expect_requested(h.vm, requests[i], "slot deleted");
	}
	huge_free(&h);
}

KVM_TEST_MAIN()
