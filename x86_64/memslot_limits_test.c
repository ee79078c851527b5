// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wrong arguments of KVM_SET_USER_MEMORY_REGION get the errno that belongs to
 * them (KVM API document, section 4.35), and a call that fails changes nothing:
 * slots, data, mappings, logs. What is just within the limits works.
 *
 * What breaks this: a check that is missing or comes after the first change, an
 * error path that does not take a half-done update back, arithmetic that wraps.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "arena.h"
#include "kvm_test_harness.h"

KVM_TEST_SUITE(memslot_limits_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_USER_MEMORY)), .mem_mb = 64 },
	.fixes = FIXES("c87661f855c3 KVM: Free new dirty bitmap if creating a new memslot fails",
		       "75d61fbcf563 KVM: set_memory_region: Disallow changing read-only attribute later",
		       "5419369ed6bd KVM: Fix user memslot overlap check"));

#define SLOT	1
#define RO_SLOT	2
#define FREE_SLOT 3
#define GPA	ARENA_GPA
#define NPAGES	70UL			/* not a multiple of 64 */
#define SIZE	(NPAGES * PAGE_SIZE)
#define RO_GPA	(GPA + 2 * SIZE)
#define FREE_GPA (GPA + 4 * SIZE)

/* A writable slot, a gap, a read-only slot, a gap. */
struct world {
	struct arena a;
	struct patterned_mem mem, ro_mem, spare;
	bool readonly;
};

static void world_create(struct world *w)
{
	arena_create(&w->a, 1, 8 * NPAGES);
	patterned_mem_alloc(&w->mem, VM_MEM_SRC_ANONYMOUS, SIZE, GPA,
			    (struct pattern){ 1, SLOT });
	patterned_mem_alloc(&w->ro_mem, VM_MEM_SRC_ANONYMOUS, SIZE, RO_GPA,
			    (struct pattern){ 1, RO_SLOT });
	patterned_mem_alloc(&w->spare, VM_MEM_SRC_ANONYMOUS, SIZE, FREE_GPA,
			    (struct pattern){ 1, FREE_SLOT });
	w->readonly = kvm_has_cap(KVM_CAP_READONLY_MEM);
	arena_add(&w->a, &w->mem, GPA, SLOT, 0);
	arena_add(&w->a, &w->ro_mem, RO_GPA, RO_SLOT,
		  w->readonly ? KVM_MEM_READONLY : 0);
}

/* Everything is as world_create() left it. */
static void world_check(struct world *w, const char *when)
{
	arena_write(&w->a, GPA, &w->mem, 0, NPAGES);
	arena_expect_mem(&w->a, GPA, &w->mem, 0, NPAGES);
	arena_expect_mem(&w->a, RO_GPA, &w->ro_mem, 0, NPAGES);
	arena_expect_gap(&w->a, GPA + SIZE, NPAGES);
	arena_expect_gap(&w->a, FREE_GPA, NPAGES);
	if (w->readonly)
		TEST_ASSERT_EQ(probe_write_pages(&w->a.probes[0], RO_GPA, 8, 1), 8U);
	patterned_mem_check(&w->ro_mem, "after %s", when);
	patterned_mem_check(&w->spare, "after %s", when);
}

static void world_free(struct world *w)
{
	world_check(w, "all of the case's calls");
	arena_check_neighbours(&w->a, "after calls that fail");
	arena_free(&w->a);
}

struct region {
	const char *name;
	uint32_t slot, flags;
	gpa_t gpa;
	uint64_t size;
	uint64_t hva;
};

/* The call fails with @err, and a quick look finds nothing changed. */
static void expect_errno(struct world *w, const struct region *r, int err)
{
	struct probe *p = &w->a.probes[0];

	test_step("%s", r->name);
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region(w->a.vm, r->slot, r->flags,
						      r->gpa, r->size, (void *)r->hva),
			  err,
			  "%s (slot 0x%x flags 0x%x gpa 0x%lx size 0x%lx hva 0x%lx)",
			  r->name, r->slot, r->flags, r->gpa, r->size, r->hva);
	probe_expect_ram(p, GPA, patterned_mem_word0(&w->mem, 0));
	probe_expect_ram(p, RO_GPA, patterned_mem_word0(&w->ro_mem, 0));
	probe_expect_gap(p, GPA + SIZE, GPA + SIZE);
	probe_expect_gap(p, FREE_GPA, FREE_GPA);
}

static void expect_errnos(struct world *w, const struct region *r, size_t nr, int err)
{
	size_t i;

	breadcrumb("%s, and %zu more calls that fail", r->name, nr - 1);
	for (i = 0; i < nr; i++)
		expect_errno(w, &r[i], err);
	world_check(w, r[nr - 1].name);
}

#define EXPECT_ERRNOS(w, err, ...)						\
do {										\
	const struct region __r[] = { __VA_ARGS__ };				\
	expect_errnos(w, __r, ARRAY_SIZE(__r), err);				\
} while (0)

#define HVA(m)	((uintptr_t)(m).mem.hva)

KVM_TEST(unaligned_regions_are_einval)
{
	struct world w;

	world_create(&w);
	EXPECT_ERRNOS(&w, EINVAL,
		{ "size + 1", FREE_SLOT, 0, FREE_GPA, SIZE + 1, HVA(w.spare) },
		{ "size - 1", FREE_SLOT, 0, FREE_GPA, SIZE - 1, HVA(w.spare) },
		{ "half a page", FREE_SLOT, 0, FREE_GPA, PAGE_SIZE / 2, HVA(w.spare) },
		{ "gpa + 1", FREE_SLOT, 0, FREE_GPA + 1, PAGE_SIZE, HVA(w.spare) },
		{ "gpa + 0x800", FREE_SLOT, 0, FREE_GPA + 0x800, PAGE_SIZE, HVA(w.spare) },
		{ "hva + 1", FREE_SLOT, 0, FREE_GPA, PAGE_SIZE, HVA(w.spare) + 1 },
		{ "hva + 0x800", FREE_SLOT, 0, FREE_GPA, PAGE_SIZE, HVA(w.spare) + 0x800 },
		{ "move to gpa + 1", SLOT, 0, FREE_GPA + 1, SIZE, HVA(w.mem) },
		{ "delete at gpa + 1", SLOT, 0, GPA + 1, 0, HVA(w.mem) });
	world_free(&w);
}

KVM_TEST(unknown_flags_are_einval)
{
	char name[32];
	struct world w;
	int bit;

	world_create(&w);
	/* Bit 2 is guest_memfd's: valid in KVM_SET_USER_MEMORY_REGION2 only. */
	for (bit = 2; bit < 32; bit++) {
		const struct region create = {
			name, FREE_SLOT, BIT(bit), FREE_GPA, SIZE, HVA(w.spare),
		}, change = {
			name, SLOT, BIT(bit), GPA, SIZE, HVA(w.mem),
		};

		snprintf(name, sizeof(name), "flag bit %d", bit);
		expect_errno(&w, &create, EINVAL);
		expect_errno(&w, &change, EINVAL);
	}
	EXPECT_ERRNOS(&w, EINVAL,
		{ "delete with an unknown flag", SLOT, BIT(31), GPA, 0, 0 },
		{ "all flags", FREE_SLOT, ~0U, FREE_GPA, SIZE, HVA(w.spare) });
	world_free(&w);
}

KVM_TEST(addresses_that_wrap_are_einval)
{
	const uint64_t top = -PAGE_SIZE, sign = BIT_ULL(63);
	struct world w;

	world_create(&w);
	/*
	 * The end of what may be a user address is another one with five-level
	 * paging and since 6.4; the kernel's half never is.
	 */
	EXPECT_ERRNOS(&w, EINVAL,
		{ "gpa + size wraps", FREE_SLOT, 0, top, 2 * PAGE_SIZE, HVA(w.spare) },
		{ "gpa + size wraps far", FREE_SLOT, 0, top - SIZE, 4 * SIZE, HVA(w.spare) },
		{ "move to where gpa + size wraps", SLOT, 0, top, SIZE, HVA(w.mem) },
		{ "hva of the kernel", FREE_SLOT, 0, FREE_GPA, SIZE, 0xffff888000000000 },
		{ "hva at the top", FREE_SLOT, 0, FREE_GPA, PAGE_SIZE, top },
		{ "hva + size wraps", FREE_SLOT, 0, FREE_GPA, 2 * PAGE_SIZE, top },
		{ "hva + size reaches the kernel", FREE_SLOT, 0, FREE_GPA, 2 * SIZE, sign - SIZE },
		{ "2^31 pages", FREE_SLOT, 0, FREE_GPA, SZ_4K << 31, 0 },
		{ "2^52 - 1 pages", FREE_SLOT, 0, 0, top, 0 });
	world_free(&w);
}

/*
 * A gfn that no vCPU can ever reach is refused since 5.18 (86931ff7207b "KVM:
 * x86/mmu: Do not create SPTEs for GFNs that exceed host.MAXPHYADDR"); before,
 * and by the API document, such a slot is merely useless. 2^52 is out of reach
 * for every page table format. This check comes late: a new slot has its dirty
 * bitmap by then, and one that is moved has been made invalid.
 */
#define FAR	BIT_ULL(52)

static int call_far(struct world *w, uint32_t slot, uint32_t flags, uint64_t size,
		    void *hva)
{
	int ret = __vm_set_user_memory_region(w->a.vm, slot, flags, FAR, size, hva);

	TEST_ASSERT_ORACLE(ORACLE_ERRNO, ret ? errno == EINVAL : !kernel_at_least(5, 18),
			   "slot %u flags 0x%x at gpa 0x%llx: want EINVAL%s, got %s", slot, flags,
			   FAR, kernel_at_least(5, 18) ? "" : " or success",
			   ret ? strerror(errno) : "success");
	return ret;
}

KVM_TEST(unreachable_gpas_are_einval_or_harmless)
{
	uint64_t bitmap[2];
	unsigned int i;
	struct world w;

	world_create(&w);
	for (i = 0; i < 4; i++) {
		uint32_t flags = i & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0;

		breadcrumb("slot beyond 2^52, flags 0x%x", flags);
		if (!call_far(&w, FREE_SLOT, flags, SIZE, w.spare.mem.hva))
			vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, FAR, 0, NULL);
		world_check(&w, "a slot beyond 2^52");

		vm_mem_region_set_flags(w.a.vm, SLOT, flags);
		arena_write(&w.a, GPA, &w.mem, 0, NPAGES);
		breadcrumb("move beyond 2^52, flags 0x%x", flags);
		if (!call_far(&w, SLOT, flags, SIZE, w.mem.mem.hva))
			vm_mem_region_move(w.a.vm, SLOT, GPA);
		if (flags) {
			kvm_vm_get_dirty_log(w.a.vm, SLOT, bitmap);
			TEST_ASSERT_EQ(bitmap[0], ~0ULL);
			TEST_ASSERT_EQ(bitmap[1], BIT_ULL(NPAGES - 64) - 1);
		}
		world_check(&w, "a move beyond 2^52");
	}
	vm_mem_region_set_flags(w.a.vm, SLOT, 0);
	world_free(&w);
}

/* The oracle for leaks looks afterwards; enough to stand out of the noise. */
KVM_TEST(failed_creation_leaves_no_bitmap)
{
	struct world w;
	int i;

	world_create(&w);
	breadcrumb("slots beyond 2^52 with dirty logging");
	for (i = 0; i < 100; i++) {
		if (!call_far(&w, FREE_SLOT, KVM_MEM_LOG_DIRTY_PAGES, SZ_1G,
			      w.spare.mem.mmap_start))
			vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, FAR, 0, NULL);
	}
	world_free(&w);
}

/* The last pages that a guest can address are pages as any other. */
KVM_TEST(slot_may_end_where_the_address_space_does)
{
	struct world w;
	gpa_t end, gpa;
	int i;

	world_create(&w);
	/* The very last may be reserved for the machine, and nobody touches them. */
	breadcrumb("slot and move up to the end of MAXPHYADDR");
	end = BIT(w.a.vm->pa_bits);
	vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, end - SIZE, SIZE, w.spare.mem.hva);
	vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, end - SIZE, 0, NULL);
	if (kvm_is_tdp_enabled() && kernel_at_least(5, 18))
		TEST_ASSERT_ERRNO(__vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0,
							      end - SIZE + PAGE_SIZE, SIZE,
							      w.spare.mem.hva),
				  EINVAL, "a page beyond MAXPHYADDR");
	vm_mem_region_move(w.a.vm, SLOT, end - SIZE);
	arena_expect_gap(&w.a, GPA, NPAGES);
	vm_mem_region_move(w.a.vm, SLOT, GPA);

	end = vm_identity_end(w.a.vm);
	gpa = end - SIZE;
	virt_map(w.a.vm, gpa, gpa, NPAGES);
	arena_expect_gap(&w.a, gpa, NPAGES);
	for (i = 0; i < 2; i++) {
		uint32_t flags = i ? KVM_MEM_LOG_DIRTY_PAGES : 0;

		breadcrumb("slot up to gpa 0x%lx, flags 0x%x", end, flags);
		arena_add(&w.a, &w.spare, gpa, FREE_SLOT, flags);
		arena_write(&w.a, gpa, &w.spare, 0, NPAGES);
		arena_expect_mem(&w.a, gpa, &w.spare, 0, NPAGES);
		vm_mem_region_delete(w.a.vm, FREE_SLOT);
		arena_expect_gap(&w.a, gpa, NPAGES);

		breadcrumb("move up to gpa 0x%lx", end);
		vm_mem_region_set_flags(w.a.vm, SLOT, flags);
		vm_mem_region_move(w.a.vm, SLOT, gpa);
		arena_write(&w.a, gpa, &w.mem, 0, NPAGES);
		arena_expect_gap(&w.a, GPA, NPAGES);
		vm_mem_region_move(w.a.vm, SLOT, GPA);
		arena_expect_gap(&w.a, gpa, NPAGES);
		vm_mem_region_set_flags(w.a.vm, SLOT, 0);
	}
	world_free(&w);
}

/* A slot is a promise; there need not be memory, at address 0 or elsewhere. */
KVM_TEST(slot_without_memory_is_efault_when_used)
{
	struct probe_result r;
	struct probe *p;
	struct world w;

	world_create(&w);
	p = &w.a.probes[0];
	breadcrumb("slot with its memory at 0");
	vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, FREE_GPA, SIZE, NULL);
	r = probe_read(p, FREE_GPA + PAGE_SIZE, 8);
	if (r.outcome != PROBE_EFAULT)
		probe_unexpected(p, FREE_GPA + PAGE_SIZE, &r, "EFAULT from KVM_RUN");
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, FREE_GPA, SIZE,
						      w.spare.mem.hva), EINVAL,
			  "giving it memory afterwards");
	breadcrumb("delete it, and create it with memory");
	vm_set_user_memory_region(w.a.vm, FREE_SLOT, 0, FREE_GPA, 0, NULL);
	arena_add(&w.a, &w.spare, FREE_GPA, FREE_SLOT, 0);
	r = probe_retry(p);
	if (r.outcome != PROBE_RAM || r.value != patterned_mem_word0(&w.spare, 1))
		probe_unexpected(p, FREE_GPA + PAGE_SIZE, &r, "the new slot's memory");
	vm_mem_region_delete(w.a.vm, FREE_SLOT);
	world_free(&w);
}

KVM_TEST(slot_numbers_have_limits)
{
	const uint32_t nr = kvm_check_cap(KVM_CAP_NR_MEMSLOTS);
	struct world w;
	uint32_t spaces;

	world_create(&w);
	spaces = vm_check_cap(w.a.vm, KVM_CAP_MULTI_ADDRESS_SPACE);
	if (!spaces)
		spaces = 1;
	TEST_ASSERT(nr >= 32 && nr <= 0xffff, "KVM_CAP_NR_MEMSLOTS is %u", nr);
	EXPECT_ERRNOS(&w, EINVAL,
		{ "first slot number that is too big", nr, 0, FREE_GPA, SIZE, HVA(w.spare) },
		{ "slot 0xffff", 0xffff, 0, FREE_GPA, SIZE, HVA(w.spare) },
		{ "delete slot 0xffff", 0xffff, 0, FREE_GPA, 0, 0 },
		{ "address space too big", spaces << 16 | FREE_SLOT, 0, FREE_GPA, SIZE,
		  HVA(w.spare) },
		{ "address space 0xffff", 0xffff0000 | FREE_SLOT, 0, FREE_GPA, SIZE,
		  HVA(w.spare) },
		{ "delete in an address space too big", spaces << 16 | SLOT, 0, GPA, 0, 0 });
	/* The last one is a slot as any other. */
	arena_add(&w.a, &w.spare, FREE_GPA, nr - 1, 0);
	arena_write(&w.a, FREE_GPA, &w.spare, 0, NPAGES);
	vm_mem_region_delete(w.a.vm, nr - 1);
	world_free(&w);
}

KVM_TEST(overlap_is_eexist)
{
	const uint64_t page = PAGE_SIZE;
	struct world w;

	world_create(&w);
	EXPECT_ERRNOS(&w, EEXIST,
		{ "the same range", FREE_SLOT, 0, GPA, SIZE, HVA(w.spare) },
		{ "the first page", FREE_SLOT, 0, GPA, page, HVA(w.spare) },
		{ "the last page", FREE_SLOT, 0, GPA + SIZE - page, page, HVA(w.spare) },
		{ "a page in the middle", FREE_SLOT, 0, GPA + SIZE / 2, page, HVA(w.spare) },
		{ "one page over the end", FREE_SLOT, 0, GPA + SIZE - page, SIZE, HVA(w.spare) },
		{ "one page over the start", FREE_SLOT, 0, RO_GPA - SIZE + page, SIZE,
		  HVA(w.spare) },
		{ "all of it and more", FREE_SLOT, 0, GPA, 2 * SIZE, HVA(w.spare) },
		{ "several slots", FREE_SLOT, 0, GPA + SIZE - page, 2 * SIZE, HVA(w.spare) },
		{ "move onto another", SLOT, 0, RO_GPA, SIZE, HVA(w.mem) },
		{ "move one page into another", SLOT, 0, RO_GPA - SIZE + page, SIZE,
		  HVA(w.mem) },
		{ "move into another's last page", SLOT, 0, RO_GPA + SIZE - page, SIZE,
		  HVA(w.mem) });

	/* Touching is not overlapping: the gap between the two is filled exactly. */
	arena_add(&w.a, &w.spare, GPA + SIZE, FREE_SLOT, 0);
	arena_write(&w.a, GPA + SIZE, &w.spare, 0, NPAGES);
	arena_expect_mem(&w.a, GPA, &w.mem, 0, NPAGES);
	arena_expect_mem(&w.a, RO_GPA, &w.ro_mem, 0, NPAGES);
	vm_mem_region_delete(w.a.vm, FREE_SLOT);
	/* Nor does a slot overlap with itself. */
	vm_mem_region_move(w.a.vm, SLOT, GPA + PAGE_SIZE);
	arena_expect_mem(&w.a, GPA + PAGE_SIZE, &w.mem, 0, NPAGES);
	vm_mem_region_move(w.a.vm, SLOT, GPA);
	world_free(&w);
}

/* "it may be moved [...] or its flags may be modified, but it may not be resized" */
KVM_TEST(what_an_existing_slot_may_not_do_is_einval)
{
	struct world w;

	world_create(&w);
	EXPECT_ERRNOS(&w, EINVAL,
		{ "shrink", SLOT, 0, GPA, SIZE - PAGE_SIZE, HVA(w.mem) },
		{ "grow", SLOT, 0, GPA, SIZE + PAGE_SIZE, HVA(w.mem) },
		{ "shrink at another gpa", SLOT, 0, FREE_GPA, PAGE_SIZE, HVA(w.mem) },
		{ "other memory", SLOT, 0, GPA, SIZE, HVA(w.spare) },
		{ "memory one page on", SLOT, 0, GPA, SIZE, HVA(w.mem) + PAGE_SIZE },
		{ "other memory, other gpa", SLOT, 0, FREE_GPA, SIZE, HVA(w.spare) });
	/* Read-only is for new slots. */
	if (w.readonly)
		EXPECT_ERRNOS(&w, EINVAL,
			{ "make read-only", SLOT, KVM_MEM_READONLY, GPA, SIZE, HVA(w.mem) },
			{ "make read-only and log", SLOT,
			  KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE, HVA(w.mem) },
			{ "move and make read-only", SLOT, KVM_MEM_READONLY, FREE_GPA, SIZE,
			  HVA(w.mem) },
			{ "make writable", RO_SLOT, 0, RO_GPA, SIZE, HVA(w.ro_mem) },
			{ "make writable and log", RO_SLOT, KVM_MEM_LOG_DIRTY_PAGES, RO_GPA,
			  SIZE, HVA(w.ro_mem) });

	/* The same again is a success that does nothing. */
	vm_set_user_memory_region(w.a.vm, SLOT, 0, GPA, SIZE, w.mem.mem.hva);
	world_check(&w, "setting what is set");

	/* Gpa and logging may change in one call. */
	vm_set_user_memory_region(w.a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES, FREE_GPA, SIZE,
				  w.mem.mem.hva);
	arena_write(&w.a, FREE_GPA, &w.mem, 0, NPAGES);
	arena_expect_gap(&w.a, GPA, NPAGES);
	vm_set_user_memory_region(w.a.vm, SLOT, 0, GPA, SIZE, w.mem.mem.hva);
	world_free(&w);
}

KVM_TEST(deleting_what_is_not_there_is_einval)
{
	struct world w;

	world_create(&w);
	EXPECT_ERRNOS(&w, EINVAL,
		{ "never created", FREE_SLOT, 0, FREE_GPA, 0, 0 },
		{ "never created, gpa of another", FREE_SLOT, 0, GPA, 0, HVA(w.mem) });
	arena_add(&w.a, &w.spare, FREE_GPA, FREE_SLOT, 0);
	vm_mem_region_delete(w.a.vm, FREE_SLOT);
	EXPECT_ERRNOS(&w, EINVAL, { "deleted already", FREE_SLOT, 0, FREE_GPA, 0, 0 });
	/* Only the number matters: gpa and memory of the call are not looked at. */
	arena_add(&w.a, &w.spare, FREE_GPA, FREE_SLOT, 0);
	arena_expect_mem(&w.a, FREE_GPA, &w.spare, 0, NPAGES);
	vm_get_mem_region(w.a.vm, FREE_SLOT)->gpa = GPA;
	vm_mem_region_delete(w.a.vm, FREE_SLOT);
	world_free(&w);
}

KVM_TEST(unreadable_argument_is_efault)
{
	char *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct world w;

	TEST_ERROR_ON(pages == MAP_FAILED || mprotect(pages + PAGE_SIZE, PAGE_SIZE,
						      PROT_NONE), "mmap");
	world_create(&w);
	breadcrumb("arguments that cannot be read");
	TEST_ASSERT_ERRNO(__vm_ioctl(w.a.vm, KVM_SET_USER_MEMORY_REGION, NULL), EFAULT,
			  "KVM_SET_USER_MEMORY_REGION(NULL)");
	TEST_ASSERT_ERRNO(__vm_ioctl(w.a.vm, KVM_SET_USER_MEMORY_REGION,
				     pages + PAGE_SIZE), EFAULT,
			  "KVM_SET_USER_MEMORY_REGION(PROT_NONE page)");
	TEST_ASSERT_ERRNO(__vm_ioctl(w.a.vm, KVM_SET_USER_MEMORY_REGION,
				     pages + PAGE_SIZE - 8), EFAULT,
			  "KVM_SET_USER_MEMORY_REGION(struct across the end of memory)");
	world_free(&w);
}

/* KVM has slots of its own, where a vCPU without unrestricted_guest starts in real mode. */
KVM_TEST(places_of_kvms_own_slots)
{
	const uint64_t last_tss = (uint32_t)(-3 * PAGE_SIZE);
	uint64_t map = 0xfeffc000;
	struct kvm_vm *vm = vm_create(1);

	breadcrumb("KVM_SET_TSS_ADDR, KVM_SET_IDENTITY_MAP_ADDR");
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_TSS_ADDR, last_tss + PAGE_SIZE), EINVAL,
			  "three pages that do not end below 4G");
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, NULL), EFAULT,
			  "KVM_SET_IDENTITY_MAP_ADDR(NULL)");
	vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &map);
	vm_ioctl(vm, KVM_SET_TSS_ADDR, map + PAGE_SIZE);
	vm_vcpu_add(vm, 0, NULL);
	map += 0x10000;
	TEST_ASSERT_ERRNO(__vm_ioctl(vm, KVM_SET_IDENTITY_MAP_ADDR, &map), EINVAL,
			  "KVM_SET_IDENTITY_MAP_ADDR of a VM with a vCPU");
	kvm_vm_free(vm);
}

/* VM ioctls belong to the process that made the VM (section 2 of the document). */
KVM_TEST(another_process_is_eio)
{
	struct kvm_userspace_memory_region region = {
		.slot = SLOT, .guest_phys_addr = GPA,
	};
	struct world w;
	int status;
	pid_t pid;

	world_create(&w);
	breadcrumb("delete a slot from another process");
	pid = fork();
	TEST_ERROR_ON(pid < 0, "fork");
	if (!pid)
		_exit(ioctl(w.a.vm->fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ?
		      errno : 0);
	TEST_ERROR_ON(waitpid(pid, &status, 0) != pid || !WIFEXITED(status), "waitpid");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, WEXITSTATUS(status) == EIO,
			   "KVM_SET_USER_MEMORY_REGION in a child: want errno %d (EIO), got %d (%s)",
			   EIO, WEXITSTATUS(status), strerror(WEXITSTATUS(status)));
	world_free(&w);
}

KVM_TEST_MAIN()
