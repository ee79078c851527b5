// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot can show a part of a guest_memfd. Which pages it shows is the offset's
 * business alone, what is in them the file's: data moves along when a part is bound
 * elsewhere, a hole that is punched is zero for the guest at once, and so is the
 * end of the file descriptor. No page is in two slots of a VM, and a binding that
 * failed, or whose slot has gone, is no obstacle to the next one.
 *
 * What breaks it: offsets that are forgotten or counted twice, an invalidation of
 * too few slots or of the wrong gfns, bindings that are left in the file or taken
 * out of it too late, references between file, slot and VM in the wrong direction.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/mman.h>

#include "dying.h"
#include "fd_passing.h"
#include "guest_pages.h"
#include "kvm_test_harness.h"
#include "vmm.h"

KVM_TEST_SUITE(guest_memfd_test,
	.needs = { .caps = NEED_CAPS(NEED_CAP(KVM_CAP_GUEST_MEMFD)), .mem_mb = 64 },
	.fixes = FIXES("a7800aa80ea4 KVM: Add KVM_CREATE_GUEST_MEMFD ioctl() for guest-specific backing memory"));

#define GPA		0x40000000UL
#define GAP_PAGES	2		/* between the parts */
#define SLOT		1
#define PART_PAGES	16UL
#define NR_PARTS	3
#define FILE_PAGES	(NR_PARTS * PART_PAGES)
#define FILE_SIZE	(FILE_PAGES * PAGE_SIZE)
#define AREA_PAGES	(NR_PARTS * (PART_PAGES + GAP_PAGES))

/* Which VMs have a guest_memfd, and how their guests get at it. */
FIXTURE_VARIANT(vm) {
	unsigned long type;
	uint64_t memfd_flags;
};
KVM_FIXTURE(vm)

/* Since 6.18: for every VM, can be mapped, and is not private. */
FIXTURE_VARIANT_ADD(vm, mappable) {
	KVM_X86_DEFAULT_VM, GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED,
};
FIXTURE_VARIANT_ADD(vm, private) { KVM_X86_SW_PROTECTED_VM, 0 };

typedef FIXTURE_VARIANT(vm) vm_type_t;

struct memfd_vm {
	struct page_vm p;
	struct kvm_vm *vm;
	struct page_worker *w;
	const vm_type_t *type;
	int fd;
};

static void require_type(const vm_type_t *type)
{
	if (type->memfd_flags)
		__TEST_REQUIRE((kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) &
				type->memfd_flags) == type->memfd_flags,
			       "needs a guest_memfd that can be mapped, of Linux 6.18");
	if (type->type == KVM_X86_SW_PROTECTED_VM)
		__TEST_REQUIRE(kvm_has_vm_type(type->type),
			       "needs KVM_X86_SW_PROTECTED_VM: CONFIG_KVM_SW_PROTECTED_VM=y and kvm.tdp_mmu=1");
}

static void memfd_vm_create(struct memfd_vm *m, const vm_type_t *type)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
	require_type(type);
	page_vm_create_type(&m->p, type->type, 2, GPA, AREA_PAGES * PAGE_SIZE,
			    PG_LEVEL_4K, PAGE_WORDS / 4);
	m->vm = m->p.vm;
	m->w = &m->p.workers[0];
	m->fd = vm_create_guest_memfd(m->vm, FILE_SIZE, type->memfd_flags);
	if (type->type == KVM_X86_SW_PROTECTED_VM)
		vm_mem_set_private(m->vm, GPA, AREA_PAGES * PAGE_SIZE);
}

static uint64_t fault_flags(const struct memfd_vm *m)
{
	return m->type->memfd_flags ? 0 : KVM_MEMORY_EXIT_FLAG_PRIVATE;
}

static size_t part_page(unsigned int i)
{
	return i * (PART_PAGES + GAP_PAGES);
}

static gpa_t part_gpa(unsigned int i)
{
	return GPA + part_page(i) * PAGE_SIZE;
}

/* Part @part of the file at the @i-th place. */
static void add_part(struct memfd_vm *m, unsigned int i, unsigned int part)
{
	vm_mem_add(m->vm, VM_MEM_SRC_ANONYMOUS, part_gpa(i), SLOT + i, PART_PAGES, 0,
		   m->fd, part * PART_PAGES * PAGE_SIZE);
}

static void delete_parts(struct memfd_vm *m)
{
	unsigned int i;

	for (i = 0; i < NR_PARTS; i++)
		vm_mem_region_delete(m->vm, SLOT + i);
}

/* All the parts, upside down, and zero. */
static void add_parts(struct memfd_vm *m)
{
	unsigned int i;

	for (i = 0; i < NR_PARTS; i++) {
		add_part(m, i, NR_PARTS - 1 - i);
		page_area_set_round(&m->p.area, part_page(i), PART_PAGES, ROUND_ZERO);
	}
	page_worker_read(m->w, "a new guest_memfd");
}

static void memfd_vm_free(struct memfd_vm *m)
{
	close(m->fd);
	kvm_vm_free(m->vm);
}

/* ---- what is where ---- */

static void allocate_backwards(int fd, size_t npages)
{
	while (npages--)
		TEST_ASSERT_ORACLE(ORACLE_ERRNO,
				   !fallocate(fd, FALLOC_FL_KEEP_SIZE, npages * PAGE_SIZE,
					      PAGE_SIZE),
				   "allocating page %zu: errno %d", npages, errno);
}

static uint64_t mark(size_t file_page)
{
	return 0xf11e000000000000UL | file_page;
}

static void access_marks(struct memfd_vm *m, const unsigned int order[], bool is_write)
{
	unsigned int i;
	size_t page;

	for (i = 0; i < NR_PARTS; i++) {
		for (page = 0; page < PART_PAGES; page += 5) {
			const gpa_t gpa = part_gpa(i) + page * PAGE_SIZE + 8;
			const uint64_t want = mark(order[i] * PART_PAGES + page);
			uint64_t got;

			if (is_write) {
				page_worker_access(m->w, gpa, true, want);
				page_worker_end(m->w);
				continue;
			}
			got = page_worker_read64(m->w, gpa);
			TEST_ASSERT(got == want,
				    "place %u shows part %u of the file: gpa 0x%lx is its page %lu and must hold 0x%lx, got 0x%lx",
				    i, order[i], gpa, order[i] * PART_PAGES + page, want, got);
		}
	}
}

KVM_TEST_F(vm, offset_says_what_a_slot_shows)
{
	static const unsigned int orders[][NR_PARTS] = {
		{ 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 }, { 0, 2, 1 },
	};
	uint64_t *map = NULL;
	struct memfd_vm m;
	unsigned int i, j;

	memfd_vm_create(&m, variant);
	if (variant->memfd_flags) {
		map = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m.fd, 0);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, map != MAP_FAILED, "mmap: errno %d", errno);
	}
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		breadcrumb("parts %u %u %u of the file", orders[i][0], orders[i][1],
			   orders[i][2]);
		for (j = 0; j < NR_PARTS; j++)
			add_part(&m, j, orders[i][j]);
		access_marks(&m, orders[i], i == 0);
		for (j = 0; map && j < FILE_PAGES; j++) {
			const uint64_t got = map[j * PAGE_WORDS + 1];

			TEST_ASSERT(got == (j % PART_PAGES % 5 ? 0 : mark(j)),
				    "the guest wrote 0x%lx to page %u of the file, the host finds 0x%lx",
				    mark(j), j, got);
		}
		delete_parts(&m);
	}
	if (map)
		munmap(map, FILE_SIZE);
	memfd_vm_free(&m);
}

/*
 * The slot, its hva and the guest's own tables would do for large pages, but the file
 * has small ones, here and there in the host's memory.
 */
KVM_TEST_F(vm, large_slot_shows_small_pages)
{
	const size_t npages = 2 * SZ_2M / PAGE_SIZE;
	struct backing_mem mem;
	struct page_vm p;
	int fd;

	require_type(variant);
	page_vm_create_type(&p, variant->type, 1, GPA, 2 * SZ_2M, PG_LEVEL_2M, PAGE_WORDS / 4);
	fd = vm_create_guest_memfd(p.vm, 2 * SZ_2M, variant->memfd_flags);
	if (variant->type == KVM_X86_SW_PROTECTED_VM)
		vm_mem_set_private(p.vm, GPA, 2 * SZ_2M);
	backing_mem_alloc(&mem, VM_MEM_SRC_ANONYMOUS_THP, 2 * SZ_2M, GPA);
	/*
	 * Nothing of this may show. The shadow MMU of Linux 7.2 finds it there when it maps
	 * pages ahead of a fault, which it takes from the hva if the host has them.
	 */
	if (kvm_is_tdp_mmu_enabled() || kvm_test_option("known_bugs", 0))
		memset(mem.hva, 0x5a, mem.size);
	/* The file gets its pages from the last to the first. */
	vm_mem_add_backing(p.vm, &mem, mem.hva, GPA, SLOT, npages, 0, fd, 0);
	allocate_backwards(fd, npages);
	page_area_set_round(&p.area, 0, npages, ROUND_ZERO);
	page_worker_read(&p.workers[0], "a new guest_memfd in a large slot");
	page_worker_write(&p.workers[0], 0, npages, 1);
	page_worker_read(&p.workers[0], "a guest_memfd in a large slot was written");
	close(fd);
	kvm_vm_free(p.vm);
	backing_mem_free(&mem);
}

/* ---- pages that go ---- */

/* Of all pages that are shown, whether in one slot or several. */
static void punch(struct memfd_vm *m, size_t first, size_t n, const char *when)
{
	int64_t before = vm_mapped_pages(m->vm), flushes = vm_tlb_flush_requests(m->vm);
	unsigned int i;
	size_t page;
	int64_t after;

	breadcrumb("%s: punch pages [%zu, +%zu) of the file", when, first, n);
	TEST_ASSERT_ORACLE(ORACLE_ERRNO,
			   !fallocate(m->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      first * PAGE_SIZE, n * PAGE_SIZE),
			   "punching pages [%zu, +%zu): errno %d", first, n, errno);
	after = vm_mapped_pages(m->vm);
	TEST_ASSERT_ORACLE(ORACLE_STATS, !kvm_is_tdp_enabled() ||
			   before - after == (int64_t)n,
			   "pages [%zu, +%zu) of the file were punched, but of %ld mapped pages %ld are left",
			   first, n, before, after);
	vm_expect_tlb_flush(m->vm, flushes, "mapped pages were punched");
	for (page = first; page < first + n; page++) {
		i = NR_PARTS - 1 - page / PART_PAGES;
		page_area_set_round(&m->p.area, part_page(i) + page % PART_PAGES, 1,
				    ROUND_ZERO);
	}
	page_worker_read(m->w, when);
}

KVM_TEST_F(vm, hole_is_zero)
{
	static const struct { size_t first, n; const char *what; } holes[] = {
		{ 0, 1, "the first page" },
		{ FILE_PAGES - 1, 1, "the last page" },
		{ PART_PAGES - 1, 2, "the border of two slots" },
		{ PART_PAGES, PART_PAGES, "all of one slot" },
		{ 3, FILE_PAGES - 6, "nearly all" },
		{ 0, FILE_PAGES, "all" },
	};
	struct memfd_vm m;
	unsigned int i, j;

	memfd_vm_create(&m, variant);
	add_parts(&m);
	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		for (j = 0; j < NR_PARTS; j++)
			page_worker_write(m.w, part_page(j), PART_PAGES, i + 1);
		punch(&m, holes[i].first, holes[i].n, holes[i].what);
	}
	memfd_vm_free(&m);
}

/* A vCPU that stays in guest mode has the page in its TLB. */
KVM_TEST_F(vm, hole_is_in_no_tlb)
{
	const gpa_t gpa = part_gpa(1) + 5 * PAGE_SIZE;	/* page 21 of the file */
	struct page_worker *hot;
	struct memfd_vm m;
	unsigned int i;
	uint64_t got;

	memfd_vm_create(&m, variant);
	add_parts(&m);
	hot = &m.p.workers[1];
	for (i = 0; i < 20; i++) {
		page_worker_access(m.w, gpa, true, mark(i));
		page_worker_end(m.w);
		page_worker_hot(hot, PAGES_HOT_READ, gpa);
		test_step("round %u: punch gpa 0x%lx", i, gpa);
		TEST_ASSERT_ORACLE(ORACLE_ERRNO,
				   !fallocate(m.fd, FALLOC_FL_PUNCH_HOLE |
					      FALLOC_FL_KEEP_SIZE,
					      (PART_PAGES + 5) * PAGE_SIZE, PAGE_SIZE),
				   "punching: errno %d", errno);
		got = page_worker_go(hot);
		TEST_ASSERT(!got, "gpa 0x%lx was punched out of its file, but a vCPU reads 0x%lx",
			    gpa, got);
	}
	page_worker_stop(hot, "at the end");
	memfd_vm_free(&m);
}

/* Slots do not keep their file open; without it they have no memory. */
KVM_TEST_F(vm, closed_file_takes_its_pages_along)
{
	struct memfd_vm m;
	int64_t before;
	unsigned int i;

	memfd_vm_create(&m, variant);
	add_parts(&m);
	before = vm_mapped_pages(m.vm);
	breadcrumb("close the guest_memfd");
	close(m.fd);
	TEST_ASSERT_ORACLE(ORACLE_STATS, !kvm_is_tdp_enabled() ||
			   before - vm_mapped_pages(m.vm) == (int64_t)FILE_PAGES,
			   "a guest_memfd of %lu pages was closed, but of %ld mapped pages %ld are left",
			   FILE_PAGES, before, vm_mapped_pages(m.vm));
	page_worker_access(m.w, part_gpa(1), false, 0);
	for (i = 0; i < 2; i++)
		vcpu_expect_memory_fault(m.p.vcpus[0], part_gpa(1), fault_flags(&m));

	breadcrumb("another guest_memfd in the same places");
	delete_parts(&m);
	m.fd = vm_create_guest_memfd(m.vm, FILE_SIZE, variant->memfd_flags);
	for (i = 0; i < NR_PARTS; i++)
		add_part(&m, i, i);
	page_worker_end(m.w);
	page_worker_read(m.w, "a new guest_memfd");
	memfd_vm_free(&m);
}

/*
 * Whichever of the two comes first, and even when the file is closed while its slot
 * is on its way out: neither may be looked at by the other any more.
 */
static void *close_file(void *arg)
{
	struct memfd_vm *m = arg;

	usleep(test_random() % 1500);
	close(m->fd);
	return NULL;
}

KVM_TEST_F(vm, file_is_closed_while_its_slot_goes)
{
	pthread_t closer;
	struct memfd_vm m;
	unsigned int i;

	memfd_vm_create(&m, variant);
	close(m.fd);
	for (i = 0; i < 30; i++) {
		m.fd = vm_create_guest_memfd(m.vm, FILE_SIZE, variant->memfd_flags);
		add_part(&m, 0, 0);
		page_worker_read64(m.w, part_gpa(0));
		test_step("round %u: close the file and delete the slot", i);
		TEST_ERROR_ON(pthread_create(&closer, NULL, close_file, &m),
			      "cannot start a thread");
		vm_mem_region_delete(m.vm, SLOT);
		pthread_join(closer, NULL);
	}
	kvm_vm_free(m.vm);
}

/* ---- wrong arguments ---- */

KVM_TEST_F(vm, wrong_creations_have_their_errno)
{
	static const uint64_t sizes[] = { 0, 1, PAGE_SIZE - 1, PAGE_SIZE + 1, 1UL << 63, -4096UL };
	struct memfd_vm m;
	uint64_t known;
	unsigned int i;

	memfd_vm_create(&m, variant);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		TEST_ASSERT_ERRNO(__vm_create_guest_memfd(m.vm, sizes[i], 0), EINVAL,
				  "a guest_memfd of 0x%lx bytes", sizes[i]);
	known = vm_check_cap(m.vm, KVM_CAP_GUEST_MEMFD_FLAGS);
	for (i = 0; i < 64; i++) {
		if ((int)known < 0 || !(known & BIT(i)))
			TEST_ASSERT_ERRNO(__vm_create_guest_memfd(m.vm, PAGE_SIZE, BIT(i)),
					  EINVAL, "a guest_memfd with flag 0x%lx", BIT(i));
	}
	TEST_ASSERT_ERRNO(fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1,
				    PAGE_SIZE), EINVAL, "an unaligned hole");
	TEST_ASSERT_ERRNO(fallocate(m.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				    PAGE_SIZE - 1), EINVAL, "a hole of a part of a page");
	TEST_ASSERT_ERRNO(fallocate(m.fd, FALLOC_FL_KEEP_SIZE, FILE_SIZE, PAGE_SIZE), EINVAL,
			  "an allocation behind the end");
	TEST_ASSERT_ERRNO(fallocate(m.fd, 0, 0, PAGE_SIZE), EOPNOTSUPP,
			  "an allocation that may change the size");
	TEST_ASSERT_ERRNO(ftruncate(m.fd, PAGE_SIZE), EINVAL, "a change of the size");
	memfd_vm_free(&m);
}

struct binding {
	int err;
	const char *what;
	uint32_t flags;
	gpa_t gpa;
	uint64_t npages;
	int fd;
	uint64_t offset;
};

static void expect_errno(struct memfd_vm *m, const struct binding *b)
{
	struct userspace_mem_region *r = vm_get_mem_region(m->vm, SLOT);

	breadcrumb("%s", b->what);
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region2(m->vm, SLOT + 7,
						       b->flags | KVM_MEM_GUEST_MEMFD,
						       b->gpa, b->npages * PAGE_SIZE,
						       r->mem.hva, b->fd, b->offset),
			  b->err, "KVM_SET_USER_MEMORY_REGION2: %s", b->what);
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region2(m->vm, SLOT + 7, 0, b->gpa, 0,
						       NULL, 0, 0), EINVAL,
			  "deleting the slot that was not made: %s", b->what);
}

static void wrong_bindings(struct memfd_vm *m, int other, int plain)
{
	const gpa_t gpa = part_gpa(1);		/* is free */
	const uint64_t end = PART_PAGES * PAGE_SIZE; /* of what is bound */
	const struct binding bad[] = {
		{ EINVAL, "unaligned offset", 0, gpa, 1, m->fd, end + 1 },
		{ EINVAL, "behind the end", 0, gpa, 1, m->fd, FILE_SIZE },
		{ EINVAL, "across the end", 0, gpa, 2, m->fd, FILE_SIZE - PAGE_SIZE },
		{ EINVAL, "the last page of 2^64", 0, gpa, 1, m->fd, -PAGE_SIZE },
		{ EINVAL, "a wrap", 0, gpa, 2, m->fd, -PAGE_SIZE },
		{ EINVAL, "a negative offset", 0, gpa, 1, m->fd, 1UL << 63 },
		{ EEXIST, "the first bound page", 0, gpa, 1, m->fd, 0 },
		{ EEXIST, "the last bound page", 0, gpa, 1, m->fd, end - PAGE_SIZE },
		{ EEXIST, "across the last bound page", 0, gpa, 3, m->fd, end - PAGE_SIZE },
		{ EEXIST, "a gpa that is taken", 0, GPA, 1, m->fd, end },
		{ EINVAL, "a gpa that no CPU has", 0, 1UL << 53, 1, m->fd, end },
		{ EINVAL, "read-only", KVM_MEM_READONLY, gpa, 1, m->fd, end },
		{ EINVAL, "dirty log", KVM_MEM_LOG_DIRTY_PAGES, gpa, 1, m->fd, end },
		{ EINVAL, "a flag", BIT(5), gpa, 1, m->fd, end },
		{ EINVAL, "another VM's guest_memfd", 0, gpa, 1, other, end },
		{ EINVAL, "a file that is none", 0, gpa, 1, plain, end },
		{ EINVAL, "the VM's own fd", 0, gpa, 1, m->vm->fd, end },
		{ EBADF, "no fd", 0, gpa, 1, -1, end },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_errno(m, &bad[i]);
}

/* Private slots are made and deleted, and that is all. */
static void wrong_changes(struct memfd_vm *m)
{
	struct userspace_mem_region *r = vm_get_mem_region(m->vm, SLOT);
	struct kvm_userspace_memory_region v1 = {
		.slot = SLOT + 7, .flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = part_gpa(1), .memory_size = PAGE_SIZE,
		.userspace_addr = (uintptr_t)r->mem.hva,
	};

	breadcrumb("what a slot that exists may not do");
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region2(m->vm, SLOT, r->flags, r->gpa,
						       r->size, r->mem.hva, m->fd, 0),
			  EINVAL, "the same again");
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region2(m->vm, SLOT, r->flags, part_gpa(1),
						       r->size, r->mem.hva, m->fd, 0),
			  EINVAL, "a move");
	TEST_ASSERT_ERRNO(__vm_set_user_memory_region2(m->vm, SLOT, 0, r->gpa, r->size,
						       r->mem.hva, 0, 0),
			  EINVAL, "the loss of its guest_memfd");
	TEST_ASSERT_ERRNO(__vm_ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &v1), EINVAL,
			  "KVM_MEM_GUEST_MEMFD in KVM_SET_USER_MEMORY_REGION");
}

KVM_TEST_F(vm, wrong_bindings_have_their_errno)
{
	struct kvm_vm *vm2;
	struct memfd_vm m;
	int other, plain;

	memfd_vm_create(&m, variant);
	add_part(&m, 0, 0);
	page_area_set_round(&m.p.area, 0, PART_PAGES, ROUND_ZERO);
	page_worker_write(m.w, 0, PART_PAGES, 1);
	vm2 = vm_create_barebones_type(variant->type);
	other = vm_create_guest_memfd(vm2, FILE_SIZE, variant->memfd_flags);
	plain = memfd_create("plain", MFD_CLOEXEC);
	wrong_bindings(&m, other, plain);
	wrong_changes(&m);
	page_worker_read(m.w, "calls that failed");
	breadcrumb("what they asked for is still to be had");
	add_part(&m, 1, 1);
	add_part(&m, 2, 2);
	page_area_set_round(&m.p.area, part_page(1), PART_PAGES, ROUND_ZERO);
	page_area_set_round(&m.p.area, part_page(2), PART_PAGES, ROUND_ZERO);
	page_worker_read(m.w, "bound after calls that failed");
	close(plain);
	close(other);
	kvm_vm_free(vm2);
	memfd_vm_free(&m);
}

/* ---- the end ---- */

struct live {
	const vm_type_t *type;
	bool closed;		/* the file, before the VM dies */
};

static struct kvm_vm *live_vm(void *arg)
{
	static struct memfd_vm m;
	struct live *live = arg;

	memfd_vm_create(&m, live->type);
	add_parts(&m);
	page_worker_write(m.w, 0, PART_PAGES, 1);
	if (live->closed)
		close(m.fd);
	return m.vm;
}

KVM_TEST_F(vm, vm_dies_in_every_way)
{
	struct live live = { .type = variant };
	enum vm_death how;

	for (how = 0; how < NR_VM_DEATHS; how++) {
		live.closed = how & 1;
		vm_die_in_child(how, live_vm, &live);
	}
}

static void vmm_sends_file(void *arg, int sock)
{
	static struct memfd_vm m;

	memfd_vm_create(&m, arg);
	add_parts(&m);
	page_worker_write(m.w, 0, PART_PAGES, 1);
	vmm_say_ready(sock, m.vm);
	send_fd(sock, m.fd);
	vmm_expect(sock, 'd');
}

/* A file holds its VM, which nobody can run. */
KVM_TEST_F(vm, file_outlives_its_vmm)
{
	struct vmm vmm;
	int fd;

	vmm_start(&vmm, "VMM with a guest_memfd", vmm_sends_file, (void *)variant);
	vmm_wait_ready(&vmm);
	fd = vmm_receive_fd(vmm.sock);
	vmm_say(vmm.sock, 'd');
	vmm_wait(&vmm, false);
	breadcrumb("the VMM is dead, its guest_memfd is not");
	vmm_expect_there(&vmm, "a guest_memfd");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO,
			   !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				      PAGE_SIZE, FILE_SIZE - 2 * PAGE_SIZE),
			   "punching a dead VM's guest_memfd: errno %d", errno);
	breadcrumb("close the dead VM's guest_memfd");
	close(fd);
	vmm_expect_gone(&vmm, "a guest_memfd");
}

KVM_TEST_MAIN()
