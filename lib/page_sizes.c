// SPDX-License-Identifier: GPL-2.0-only
/* What page sizes KVM must map an area with, compared with its statistics. */
#include <string.h>
#include <sys/mman.h>

#include "guest_pages.h"

bool kvm_is_tdp_mmu_enabled(void)
{
	return kvm_is_tdp_enabled() && kvm_get_module_param_bool("kvm", "tdp_mmu");
}

enum log_split log_split(void)
{
	if (!kvm_is_tdp_mmu_enabled())
		return UNMAP_AT_WRITE;
	if (kvm_get_module_param_bool("kvm", "eager_page_split"))
		return SPLIT_EAGERLY;
	/* c4b33d28ea3d KVM: x86/mmu: Split huge pages mapped by the TDP MMU on fault */
	return kernel_at_least(6, 2) ? SPLIT_AT_WRITE : UNMAP_AT_WRITE;
}

bool page_sizes_read(struct kvm_vm *vm, struct page_sizes *sizes)
{
	static bool said;

	if (vm_read_stat(vm, "pages_4k", &sizes->n4k) &&
	    vm_read_stat(vm, "pages_2m", &sizes->n2m) &&
	    vm_read_stat(vm, "pages_1g", &sizes->n1g))
		return true;
	if (!said)
		pr_info("page sizes: this kernel has no pages_4k/2m/1g; only data is checked");
	said = true;
	return false;
}

/* The parameter cannot change while a VM lives, and reading it is slow. */
static bool tdp_enabled(void)
{
	static int cached = -1;

	if (cached < 0)
		cached = kvm_is_tdp_enabled();
	return cached;
}

/*
 * KVM maps the largest page that is a page of the host, lies in the memslot as
 * a whole, and is aligned the same in gpa and hva. Shadow paging goes no further
 * than the guest's leaf. Dirty logging is per 4K.
 */
int page_area_model_level(struct page_area *area, gpa_t gpa)
{
	struct userspace_mem_region *r = vm_find_gpa(area->vm, gpa);
	size_t host, size;
	gpa_t start;
	int level;

	TEST_ERROR_ON(!r, "gpa 0x%lx is a gap", gpa);
	host = get_backing_src_pagesz(r->mem.type);
	if (r->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return PG_LEVEL_4K;
	for (level = PG_LEVEL_1G; level > PG_LEVEL_4K; level--) {
		size = PG_LEVEL_SIZE(level);
		start = align_down(gpa, size);
		if (host < size || (!tdp_enabled() && area->leaf < level))
			continue;
		if (start < r->gpa || start + size > r->gpa + r->size)
			continue;
		if (!((r->gpa ^ (uintptr_t)r->mem.hva) & (size - 1)))
			return level;
	}
	return PG_LEVEL_4K;
}

void page_area_model(struct page_area *area, struct page_sizes *sizes)
{
	gpa_t gpa, end = area->gpa + area->npages * PAGE_SIZE;
	int level;

	memset(sizes, 0, sizeof(*sizes));
	for (gpa = area->gpa; gpa < end;) {
		if (area->round[(gpa - area->gpa) / PAGE_SIZE] == ROUND_NONE) {
			gpa += PAGE_SIZE;
			continue;
		}
		level = page_area_model_level(area, gpa);
		if (level == PG_LEVEL_1G)
			sizes->n1g++;
		else if (level == PG_LEVEL_2M)
			sizes->n2m++;
		else
			sizes->n4k++;
		gpa = align_down(gpa, PG_LEVEL_SIZE(level)) + PG_LEVEL_SIZE(level);
	}
}

/* A change of protection reaches KVM as an MMU notifier's invalidation. */
static void unmap_region(struct userspace_mem_region *r)
{
	size_t page = get_backing_src_pagesz(r->mem.type);
	uintptr_t start = align_down((uintptr_t)r->mem.hva, page);
	uintptr_t end = align_up((uintptr_t)r->mem.hva + r->size, page);

	TEST_ERROR_ON(mprotect((void *)start, end - start, PROT_NONE) ||
		      mprotect((void *)start, end - start, PROT_READ | PROT_WRITE),
		      "mprotect of slot %u's memory", r->slot);
}

void page_area_unmap(struct page_area *area)
{
	gpa_t end = area->gpa + area->npages * PAGE_SIZE;
	struct userspace_mem_region *r;

	for (r = area->vm->regions; r; r = r->next) {
		if (r->gpa < end && r->gpa + r->size > area->gpa)
			unmap_region(r);
	}
}

static void __attribute__((noreturn))
sizes_differ(struct page_area *area, const struct page_sizes *want,
	     const struct page_sizes *got, const char *when)
{
	char want_4k[64] = "any number of";

	if (want->n4k >= 0)
		snprintf(want_4k, sizeof(want_4k), "%ld", want->n4k);
	test_fail(ORACLE_STATS, __FILE__, __LINE__, NULL,
		  "%s: KVM must map gpa 0x%lx-0x%lx with %s 4K, %ld 2M and %ld 1G pages, its statistics say %ld, %ld and %ld (%s, guest leaves of %lu kB)",
		  when, area->gpa, area->gpa + area->npages * PAGE_SIZE, want_4k,
		  want->n2m, want->n1g, got->n4k, got->n2m, got->n1g,
		  kvm_is_tdp_mmu_enabled() ? "TDP MMU" :
		  kvm_is_tdp_enabled() ? "TDP without the TDP MMU" : "shadow paging",
		  PG_LEVEL_SIZE(area->leaf) / 1024);
}

/* Of each 2M that is touched, at least so many 4K pages are; and how many are not at all. */
static int64_t least_touched(struct page_area *area, int64_t *untouched)
{
	const uint64_t first = area->gpa % SZ_2M / PAGE_SIZE;
	int64_t least = 512, n = 0;
	uint64_t i;

	*untouched = 0;
	for (i = 0; i < area->npages; i++) {
		n += area->round[i] != ROUND_NONE;
		if ((first + i) % 512 != 511 && i != area->npages - 1)
			continue;
		if (!n)
			++*untouched;
		else if (n < least)
			least = n;
		n = 0;
	}
	return least;
}

/*
 * The iTLB multihit workaround does not replace a page table that is there by a
 * large page, which is not executable; an MMIO SPTE in it is enough.
 */
static bool nx_kept_tables(struct page_area *area, const struct page_sizes *want,
			   const struct page_sizes *got)
{
	const int64_t k = 512;
	/* In units of 2M. */
	const int64_t kept = want->n2m + k * want->n1g - got->n2m - k * got->n1g;
	int64_t untouched, least = least_touched(area, &untouched);

	return kvm_get_module_param_bool("kvm", "nx_huge_pages") && want->n4k >= 0 &&
	       kept > 0 && got->n1g <= want->n1g &&
	       got->n4k >= want->n4k + least * (kept > untouched ? kept - untouched : 0) &&
	       got->n4k <= want->n4k + k * kept;
}

/* A negative want->n4k is not compared. */
static void compare_sizes(struct page_area *area, const struct page_sizes *want,
			  const struct page_sizes *got, const char *when)
{
	if (nx_kept_tables(area, want, got))
		return;
	if (got->n2m != want->n2m || got->n1g != want->n1g ||
	    (want->n4k >= 0 && got->n4k != want->n4k))
		sizes_differ(area, want, got, when);
}

void page_area_check_sizes(struct page_area *area, const struct page_sizes *want,
			   const char *when)
{
	struct page_sizes got;

	if (!page_sizes_read(area->vm, &got))
		return;
	TEST_ERROR_ON(area->base_4k < 0, "page_area_check_sizes() without a base");
	got.n4k -= area->base_4k;
	compare_sizes(area, want, &got, when);
}

/*
 * pages_4k counts slot 0, too, of which the guest touches more with all it does.
 * So the area's pages are those that go when the host unmaps its memory.
 */
void page_worker_check_sizes(struct page_worker *w, const struct page_sizes *want,
			     const char *when)
{
	struct page_area *area = w->area;
	struct page_sizes model, got, left;

	page_worker_read(w, when);
	if (!page_sizes_read(area->vm, &got))
		return;
	page_area_unmap(area);
	page_sizes_read(area->vm, &left);
	if (left.n2m || left.n1g)
		test_fail(ORACLE_STATS, __FILE__, __LINE__, NULL,
			  "%s: the host unmapped all memory of the area, but KVM still counts %ld 2M and %ld 1G pages",
			  when, left.n2m, left.n1g);
	area->base_4k = left.n4k;
	got.n4k -= left.n4k;
	if (!want) {
		page_area_model(area, &model);
		want = &model;
	}
	compare_sizes(area, want, &got, when);
}

void page_worker_map_all(struct page_worker *w, unsigned int round)
{
	/* The first time, slot 0's pages that only a write touches come along. */
	page_worker_write(w, 0, w->area->npages, round);
	page_worker_check_sizes(w, NULL, "with all pages written");
	page_worker_write(w, 0, w->area->npages, round + 1);
}
