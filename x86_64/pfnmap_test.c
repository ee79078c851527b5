// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a device in a memslot, as of one that is passed through: VM_PFNMAP, most of
 * it page frames without a struct page. KVM finds them in the host's page tables, has no
 * reference to them, and must follow the mapping as it does for any other memory.
 *
 * What breaks this: a page's reference count that is dropped or asked for where there is
 * none; rights that are taken from the memslot or the VMA, and not from the host's page
 * table; a page of another offset; guest page tables there that KVM writes to by the
 * wrong address.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/udmabuf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "arena.h"
#include "kvm_test_harness.h"
#include "kvm_writer.h"
#include "processor.h"

KVM_TEST_SUITE(pfnmap_test, .needs = { .privileged = true },
	.fixes = FIXES("f8be156be163 KVM: do not allow mapping valid but non-reference-counted pages",
		       "bd2fae8da794 KVM: do not assume PTE is writable after follow_pfn",
		       "2a8859f373b0 KVM: x86/mmu: do compare-and-exchange of gPTE via the user address"));

#define PCI_DEVICES	"/sys/bus/pci/devices"
/* Shared memory of QEMU's, which does nothing by itself: all of BAR 2 is memory. */
#define IVSHMEM_VENDOR	0x1af4
#define IVSHMEM_DEVICE	0x1110

#define SLOT		1
#define GPA		ARENA_GPA
#define NPAGES		16UL
#define SIZE		(NPAGES * PAGE_SIZE)
#define PATTERN(r)	((struct pattern){ .round = (r), .slot = SLOT })

/* ---- the device ---- */

static unsigned long pci_attr(const char *name, const char *attr)
{
	char path[300], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/%s", name, attr);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	return strtoul(text, NULL, 16);
}

static int ivshmem_open(void)
{
	struct dirent *entry = NULL;
	DIR *devices;
	char path[300];
	int fd;

	__TEST_REQUIRE(kvm_test_option("ivshmem", 0),
		       "writes to the memory of a PCI device, an ivshmem: --set ivshmem=1 says that there is one, and that nobody else uses it");
	devices = opendir(PCI_DEVICES);
	while (devices && (entry = readdir(devices)) &&
	       (pci_attr(entry->d_name, "vendor") != IVSHMEM_VENDOR ||
		pci_attr(entry->d_name, "device") != IVSHMEM_DEVICE))
		;
	__TEST_REQUIRE(entry, "needs an ivshmem, as the lab's AMD host has");
	snprintf(path, sizeof(path), PCI_DEVICES "/%s/resource2", entry->d_name);
	closedir(devices);
	fd = open(path, O_RDWR | O_CLOEXEC);
	TEST_ERROR_ON(fd < 0, "cannot open %s", path);
	return fd;
}

/* Pages of a memfd: in the host's page table from their first use on, and counted. */
static int udmabuf_open(void)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 2 * SIZE };
	int dev = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), fd;

	__TEST_REQUIRE(dev >= 0 || errno != ENOENT,
		       "needs /dev/udmabuf: a kernel with CONFIG_UDMABUF");
	TEST_ERROR_ON(dev < 0, "cannot open /dev/udmabuf");
	create.memfd = (uint32_t)memfd_create("udmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	TEST_ERROR_ON((int)create.memfd < 0 || ftruncate((int)create.memfd, 2 * SIZE) ||
		      fcntl((int)create.memfd, F_ADD_SEALS, F_SEAL_SHRINK), "no memfd");
	fd = ioctl(dev, UDMABUF_CREATE, &create);
	TEST_ERROR_ON(fd < 0, "UDMABUF_CREATE");
	close((int)create.memfd);
	close(dev);
	return fd;
}

FIXTURE_VARIANT(device) {
	int (*open)(void);
};
KVM_FIXTURE(device)
FIXTURE_VARIANT_ADD(device, ivshmem) { ivshmem_open };
FIXTURE_VARIANT_ADD(device, udmabuf) { udmabuf_open };

/*
 * Maps @size bytes of the device at @offset to @at, page by page: the host complains when
 * a part of such a mapping goes.
 */
static void device_map(int fd, void *at, size_t offset, size_t size)
{
	size_t n;

	for (n = 0; n < size; n += PAGE_SIZE)
		TEST_ERROR_ON(mmap((char *)at + n, PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_FIXED, fd, (off_t)(offset + n)) == MAP_FAILED,
			      "cannot map the device's memory at 0x%zx", offset + n);
}

static void *address_space(void)
{
	void *hva = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	TEST_ERROR_ON(hva == MAP_FAILED, "no memory");
	return hva;
}

/* Two halves; what the guest is to find in one, wherever it is mapped, is in @half. */
struct device {
	int fd;
	struct patterned_mem half[2];
};

static void device_create(struct device *d, int (*open_it)(void))
{
	unsigned int i;

	d->fd = open_it();
	for (i = 0; i < 2; i++) {
		struct patterned_mem *m = &d->half[i];

		m->mem = (struct backing_mem) { .type = VM_MEM_SRC_ANONYMOUS, .size = SIZE, .fd = -1 };
		m->mem.hva = address_space();
		device_map(d->fd, m->mem.hva, i * SIZE, SIZE);
		m->want = address_space();
		patterned_mem_refill(m, PATTERN(1 + i));
	}
	patterned_mem_check(&d->half[0], "the host has written to the device's memory");
}

static void device_free(struct device *d)
{
	patterned_mem_free(&d->half[0]);
	patterned_mem_free(&d->half[1]);
	close(d->fd);
}

static void expect_efault(struct probe *p, gpa_t gpa, struct probe_result r)
{
	if (r.outcome != PROBE_EFAULT)
		probe_unexpected(p, gpa, &r, "EFAULT from KVM_RUN");
}

static void expect_retry(struct probe *p, gpa_t gpa)
{
	struct probe_result r = probe_retry(p);

	if (r.outcome != PROBE_RAM)
		probe_unexpected(p, gpa, &r, "the device's memory");
}

/* ---- cases ---- */

KVM_TEST_F(device, guest_reads_writes_and_runs_it)
{
	struct device d;
	struct arena a;
	unsigned int i;

	device_create(&d, variant->open);
	arena_create(&a, 2, NPAGES);
	for (i = 0; i < 4; i++) {
		struct patterned_mem *m = &d.half[i % 2];

		breadcrumb("a slot of a device's memory, half %u", i % 2);
		patterned_mem_refill(m, PATTERN(4 + i));
		arena_add(&a, m, GPA, SLOT, 0);
		arena_expect_mem(&a, GPA, m, 0, NPAGES);
		arena_write(&a, GPA, m, 0, NPAGES);
		patterned_mem_check(m, "the guest has written to a device's memory");
		vm_mem_region_delete(a.vm, SLOT);
		arena_expect_gap(&a, GPA, NPAGES);
	}
	arena_add(&a, &d.half[0], GPA, SLOT, 0);
	arena_expect_mem(&a, GPA, &d.half[0], 0, NPAGES);
	arena_free(&a);
	device_free(&d);
}

static void move_memory(struct patterned_mem *m, void *to)
{
	TEST_ERROR_ON(mremap(m->mem.hva, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to,
		      "cannot move memory");
	m->mem.hva = to;
}

KVM_TEST_F(device, follows_the_hosts_mapping)
{
	const size_t at = 5 * PAGE_SIZE;
	void *hva, *elsewhere;
	struct patterned_mem ram;
	struct device d;
	struct arena a;
	unsigned int i;

	device_create(&d, variant->open);
	arena_create(&a, 2, NPAGES);
	patterned_mem_alloc(&ram, VM_MEM_SRC_ANONYMOUS, SIZE, GPA, PATTERN(9));
	elsewhere = ram.mem.hva;
	hva = address_space();
	device_map(d.fd, hva, 0, SIZE);
	vm_mem_region_add_backing(a.vm, &d.half[0].mem, hva, GPA, SLOT, NPAGES, 0);
	for (i = 0; i < 4; i++) {
		arena_expect_mem(&a, GPA, &d.half[0], 0, NPAGES);
		breadcrumb("round %u: other memory behind a device's slot", i);
		TEST_ERROR_ON(munmap((char *)hva + at, 2 * PAGE_SIZE), "munmap");
		expect_efault(&a.probes[0], GPA + at, probe_read(&a.probes[0], GPA + at, 8));
		expect_efault(&a.probes[1], GPA + at + PAGE_SIZE,
			      probe_write(&a.probes[1], GPA + at + PAGE_SIZE + 0xe00, 8, i + 1));
		/* The same pages of the other half. */
		device_map(d.fd, (char *)hva + at, SIZE + at, 2 * PAGE_SIZE);
		expect_retry(&a.probes[0], GPA + at);
		expect_retry(&a.probes[1], GPA + at + PAGE_SIZE);
		patterned_mem_wrote(&d.half[1], at + PAGE_SIZE + 0xe00, 8, i + 1);
		arena_expect_mem(&a, GPA + at, &d.half[1], 5, 2);
		arena_expect_mem(&a, GPA, &d.half[0], 0, 5);
		/* All of it at once; then RAM, and back. */
		device_map(d.fd, hva, SIZE, SIZE);
		arena_expect_mem(&a, GPA, &d.half[1], 0, NPAGES);
		move_memory(&ram, hva);
		arena_expect_mem(&a, GPA, &ram, 0, NPAGES);
		arena_write(&a, GPA, &ram, 0, NPAGES);
		move_memory(&ram, elsewhere);
		patterned_mem_check(&ram, "the guest had it in a device's place");
		device_map(d.fd, hva, 0, SIZE);
		arena_write(&a, GPA, &d.half[0], 0, NPAGES);
	}
	for (i = 0; i < 2; i++)
		patterned_mem_check(&d.half[i], "half %u of the device's memory, in the end", i);
	arena_free(&a);
	munmap(hva, SIZE);
	patterned_mem_free(&ram);
	device_free(&d);
}

/* The memslot is writable, and at times the host's mapping is not. */
KVM_TEST_F(device, is_not_written_where_the_host_may_not)
{
	struct patterned_mem *m;
	struct probe_result r;
	struct device d;
	struct arena a;
	unsigned int i;
	size_t at;

	device_create(&d, variant->open);
	arena_create(&a, 2, NPAGES);
	m = &d.half[0];
	arena_add(&a, m, GPA, SLOT, 0);
	for (i = 0; i < 8; i++) {
		struct probe *p = &a.probes[i & 1];

		at = (i % NPAGES) * PAGE_SIZE + 0xe00;
		/* Mapped for writing, for reading, or not at all. */
		if (i % 4 < 2)
			arena_write(&a, GPA, m, 0, NPAGES);
		breadcrumb("round %u: a device's memory that the host may only read", i);
		TEST_ERROR_ON(mprotect(m->mem.hva, SIZE, PROT_READ), "mprotect");
		if (i & 1)
			arena_expect_mem(&a, GPA, m, 0, NPAGES);
		r = probe_write(p, GPA + at, 8, i + 1);
		/* As to a read-only slot, or not at all. */
		if (r.outcome != PROBE_MMIO)
			expect_efault(p, GPA + at, r);
		patterned_mem_check(m, "the host may only read it");
		TEST_ERROR_ON(mprotect(m->mem.hva, SIZE, PROT_READ | PROT_WRITE), "mprotect");
		if (r.outcome == PROBE_EFAULT) {
			patterned_mem_wrote(m, at, 8, i + 1);
			expect_retry(p, GPA + at);
		}
		arena_write(&a, GPA, m, 0, NPAGES);
	}
	patterned_mem_check(m, "writable in the end");
	arena_free(&a);
	device_free(&d);
}

KVM_TEST_F(device, is_in_the_dirty_log)
{
	uint64_t log, want;
	struct device d;
	struct arena a;
	unsigned int i, page;

	device_create(&d, variant->open);
	arena_create(&a, 2, NPAGES);
	arena_add(&a, &d.half[0], GPA, SLOT, 0);
	arena_write(&a, GPA, &d.half[0], 0, NPAGES);
	for (i = 0; i < 4; i++) {
		breadcrumb("round %u: log a device's memory", i);
		vm_mem_region_set_flags(a.vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		/* The pages are mapped, or none is. */
		if (i & 1)
			vm_mem_region_reload(a.vm, SLOT);
		for (page = 0; page < NPAGES; page++) {
			want = BIT(page) | BIT((page + 7) % NPAGES);
			arena_write(&a, GPA + page * PAGE_SIZE, &d.half[0], page, 1);
			arena_write(&a, GPA + (page + 7) % NPAGES * PAGE_SIZE, &d.half[0],
				    (page + 7) % NPAGES, 1);
			log = 0;
			kvm_vm_get_dirty_log(a.vm, SLOT, &log);
			TEST_ASSERT(log == want,
				    "the guest has written to pages 0x%lx of the device's memory, the dirty log has 0x%lx",
				    want, log);
		}
		vm_mem_region_set_flags(a.vm, SLOT, 0);
		arena_write(&a, GPA, &d.half[0], 0, NPAGES);
	}
	patterned_mem_check(&d.half[0], "logged");
	arena_free(&a);
	device_free(&d);
}

/* ---- a guest's page table in it ---- */

#define TABLE_PAGE	3UL
#define TABLE_GPA	(GPA + TABLE_PAGE * PAGE_SIZE)
#define TABLE_GVA	0x200000000000UL

static void expect_entry(struct patterned_mem *m, uint64_t want, const char *when)
{
	uint64_t got = *(volatile uint64_t *)((char *)m->mem.hva + TABLE_PAGE * PAGE_SIZE);

	TEST_ASSERT(got == want, "%s: the guest's entry in the device's memory is 0x%lx, want 0x%lx",
		    when, got, want);
	patterned_mem_wrote(m, TABLE_PAGE * PAGE_SIZE, 8, got);
	patterned_mem_check(m, "%s", when);
}

KVM_TEST_F(device, holds_a_guests_page_table)
{
	uint64_t *pde, entry, flags;
	struct patterned_mem *m;
	struct probe *p;
	struct device d;
	struct arena a;
	unsigned int i;
	gpa_t page[2];

	device_create(&d, variant->open);
	m = &d.half[0];
	arena_create(&a, 1, NPAGES);
	arena_add(&a, m, GPA, SLOT, 0);
	p = &a.probes[0];
	for (i = 0; i < 2; i++) {
		page[i] = vm_phy_pages_alloc(a.vm, 1);
		*(uint64_t *)addr_gpa2hva(a.vm, page[i]) = i + 100;
	}
	virt_pg_map(a.vm, TABLE_GVA, page[0]);
	entry = *(uint64_t *)addr_gpa2hva(a.vm, vm_entry_gpa(a.vm, TABLE_GVA, PG_LEVEL_4K));
	flags = entry & ~(PHYSICAL_PAGE_MASK | PTE_ACCESSED_MASK | PTE_DIRTY_MASK);
	pde = addr_gpa2hva(a.vm, vm_entry_gpa(a.vm, TABLE_GVA, PG_LEVEL_2M));
	/* A table of one entry. */
	memset((char *)m->mem.hva + TABLE_PAGE * PAGE_SIZE, 0, PAGE_SIZE);
	memset((char *)m->want + TABLE_PAGE * PAGE_SIZE, 0, PAGE_SIZE);
	*pde = (*pde & ~PHYSICAL_PAGE_MASK) | TABLE_GPA;
	for (i = 0; i < 8; i++) {
		breadcrumb("round %u: a page table in a device's memory", i);
		entry = page[i & 1] | flags;
		/* The host's stores to a table that KVM knows go unseen, until the slot is new. */
		if (i & 2)
			*(volatile uint64_t *)((char *)m->mem.hva + TABLE_PAGE * PAGE_SIZE) = entry;
		else
			probe_write(p, TABLE_GPA, 8, entry);
		if (i & 6)
			vm_mem_region_reload(a.vm, SLOT);
		probe_flush_tlb(p);
		expect_entry(m, entry, "written");
		probe_expect_ram(p, TABLE_GVA, (i & 1) + 100);
		expect_entry(m, entry | PTE_ACCESSED_MASK, "read through");
		probe_write(p, TABLE_GVA + 8, 8, i + 1);
		TEST_ASSERT_EQ(((uint64_t *)addr_gpa2hva(a.vm, page[i & 1]))[1], i + 1UL);
		expect_entry(m, entry | PTE_ACCESSED_MASK | PTE_DIRTY_MASK, "written through");
	}
	arena_free(&a);
	device_free(&d);
}

/* ---- what KVM itself writes there ---- */

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

/* By the host's mapping, or by one of its own, which it may not get beside that. */
KVM_TEST_F(device, kvm_writes_to_it)
{
	const size_t place = 6 * PAGE_SIZE + 0x40, size = 64;
	enum kvm_writer w;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct device d;
	struct ucall uc;
	unsigned int i;
	bool written;
	size_t n;

	device_create(&d, variant->open);
	vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	vm_kvm_writers_init(vm);
	vcpu_run_to_sync(vcpu, &uc);
	vm_mem_region_add_backing(vm, &d.half[0].mem, d.half[0].mem.hva, GPA, SLOT, NPAGES, 0);
	for (w = KVM_WRITES_CLOCK; w <= KVM_WRITES_END_OF_INTERRUPT; w++) {
		for (i = 0; i < 4; i++) {
			const char *hva = d.half[0].mem.hva;

			breadcrumb("round %u: %s in a device's memory", i, kvm_writer_name(w));
			memset(d.half[0].mem.hva, 0x24, SIZE);
			if (__kvm_writer_start(vcpu, w, GPA + place) < 0)
				break;
			kvm_writer_trigger(vcpu, w);
			vcpu_run_to_sync(vcpu, &uc);
			for (written = false, n = 0; n < SIZE; n++) {
				written |= hva[n] != 0x24;
				TEST_ASSERT(hva[n] == 0x24 || n - place < size,
					    "%s: KVM has written to byte 0x%zx of the device's memory, not only to the %zu at 0x%zx",
					    kvm_writer_name(w), n, size, place);
			}
			TEST_ASSERT(written || w == KVM_WRITES_CLOCK,
				    "%s: KVM has not written to the device's memory",
				    kvm_writer_name(w));
			vm_mem_region_reload(vm, SLOT);
		}
		kvm_writer_stop(vcpu, w);
	}
	kvm_vm_free(vm);
	device_free(&d);
}

KVM_TEST_MAIN()
