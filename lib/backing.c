// SPDX-License-Identifier: GPL-2.0-only
/* Host memory behind memslots. */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test_util.h"

static const struct backing_src {
	const char *name;
	size_t pagesz;
	int map_flags;
	unsigned int memfd_flags;
	bool memfd, file;
} backing_srcs[NUM_SRC_TYPES] = {
	[VM_MEM_SRC_ANONYMOUS] = { "anonymous", SZ_4K, 0, 0, false, false },
	[VM_MEM_SRC_ANONYMOUS_THP] = { "anonymous_thp", SZ_2M, 0, 0, false, false },
	[VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB] = {
		"anonymous_hugetlb_2mb", SZ_2M, MAP_HUGETLB | MAP_HUGE_2MB, 0,
		false, false },
	[VM_MEM_SRC_ANONYMOUS_HUGETLB_1GB] = {
		"anonymous_hugetlb_1gb", SZ_1G, MAP_HUGETLB | MAP_HUGE_1GB, 0,
		false, false },
	[VM_MEM_SRC_SHMEM] = { "shmem", SZ_4K, 0, 0, true, false },
	[VM_MEM_SRC_SHARED_HUGETLB_2MB] = {
		"shared_hugetlb_2mb", SZ_2M, 0, MFD_HUGETLB | MFD_HUGE_2MB,
		true, false },
	[VM_MEM_SRC_SHARED_HUGETLB_1GB] = {
		"shared_hugetlb_1gb", SZ_1G, 0, MFD_HUGETLB | MFD_HUGE_1GB,
		true, false },
	[VM_MEM_SRC_FILE] = { "file", SZ_4K, 0, 0, false, true },
	[VM_MEM_SRC_GUEST_MEMFD] = { "guest_memfd", SZ_4K, 0, 0, false, false },
};

const char *vm_mem_backing_src_name(enum vm_mem_backing_src_type type)
{
	return backing_srcs[type].name;
}

size_t get_backing_src_pagesz(enum vm_mem_backing_src_type type)
{
	return backing_srcs[type].pagesz;
}

bool thp_configured(void)
{
	char buf[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");

	if (!f)
		return false;
	if (!fgets(buf, sizeof(buf), f))
		buf[0] = 0;
	fclose(f);
	return buf[0] && !strstr(buf, "[never]");
}

bool hugetlb_lacks(char reason[HUGETLB_REASON_SIZE], size_t page, size_t want)
{
	const char *name = page == SZ_2M ? "2M" : "1G";
	unsigned long nr = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%zukB/free_hugepages",
		 page / 1024);
	f = fopen(path, "r");
	if (!f) {
		snprintf(reason, HUGETLB_REASON_SIZE,
			 "needs %s huge pages, which this host's CPU or kernel does not have", name);
		return true;
	}
	if (fscanf(f, "%lu", &nr) != 1)
		nr = 0;
	fclose(f);
	snprintf(reason, HUGETLB_REASON_SIZE,
		 "needs %zu free %s huge pages, %lu are free: raise /sys/kernel/mm/hugepages/hugepages-%zukB/nr_hugepages",
		 want, name, nr, page / 1024);
	return nr < want;
}

size_t backing_huge_bytes(const void *hva, size_t size)
{
	static const char *const keys[] = {
		"AnonHugePages:", "ShmemPmdMapped:", "FilePmdMapped:",
		"Shared_Hugetlb:", "Private_Hugetlb:",
	};
	unsigned long start, end, kb;
	size_t huge = 0, i, len;
	bool inside = false;
	char line[512];
	FILE *f = fopen("/proc/self/smaps", "r");

	TEST_ERROR_ON(!f, "cannot read /proc/self/smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			inside = start >= (uintptr_t)hva && end <= (uintptr_t)hva + size;
			continue;
		}
		for (i = 0; inside && i < ARRAY_SIZE(keys); i++) {
			len = strlen(keys[i]);
			if (!strncmp(line, keys[i], len) &&
			    sscanf(line + len, "%lu", &kb) == 1)
				huge += kb * 1024;
		}
	}
	fclose(f);
	return huge;
}

void backing_require_huge(const void *hva, size_t size)
{
	size_t huge = backing_huge_bytes(hva, size);

	__TEST_REQUIRE(huge == size,
		       "needs %zu kB of transparent huge pages, the host gave %zu kB: memory is short or fragmented",
		       size / 1024, huge / 1024);
}

static int backing_fd(const struct backing_src *src, size_t size)
{
	char path[] = "/tmp/kvm-selftest-XXXXXX";
	int fd;

	if (src->memfd) {
		fd = memfd_create("kvm_selftest", MFD_CLOEXEC | MFD_ALLOW_SEALING |
				  src->memfd_flags);
	} else {
		fd = mkstemp(path);
		if (fd >= 0)
			unlink(path);
	}
	TEST_ERROR_ON(fd < 0, "cannot make a %s file for guest memory", src->name);
	TEST_ERROR_ON(ftruncate(fd, size), "cannot size the %s file to %zu bytes",
		      src->name, size);
	return fd;
}

/* The sub-range of a reservation where hva % 1G == offset. */
static char *reserve_congruent(struct backing_mem *mem, uint64_t offset)
{
	char *start;

	mem->mmap_size = mem->size + 2 * SZ_1G;
	mem->mmap_start = mmap(NULL, mem->mmap_size, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	TEST_ERROR_ON(mem->mmap_start == MAP_FAILED, "cannot reserve %zu bytes",
		      mem->mmap_size);
	start = (char *)align_up((uintptr_t)mem->mmap_start, SZ_1G);
	return start + offset % SZ_1G;
}

void backing_mem_alloc(struct backing_mem *mem, enum vm_mem_backing_src_type type,
		       size_t size, uint64_t offset)
{
	const struct backing_src *src = &backing_srcs[type];
	int flags = MAP_FIXED | src->map_flags;
	char lacks[HUGETLB_REASON_SIZE];
	char *start;

	memset(mem, 0, sizeof(*mem));
	mem->type = type;
	mem->offset = offset;
	mem->size = size;
	mem->fd = -1;

	if ((src->map_flags & MAP_HUGETLB || src->memfd_flags & MFD_HUGETLB) &&
	    hugetlb_lacks(lacks, src->pagesz, size / src->pagesz))
		test_skip("%s", lacks);
	start = reserve_congruent(mem, offset);
	if (src->memfd || src->file) {
		mem->fd = backing_fd(src, size);
		flags |= MAP_SHARED;
	} else {
		flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	}
	/* hugetlb reserves here, so that a missing page is not a SIGBUS later. */
	if (src->map_flags & MAP_HUGETLB)
		flags &= ~MAP_NORESERVE;
	mem->hva = mmap(start, size, PROT_READ | PROT_WRITE, flags, mem->fd, 0);
	TEST_ERROR_ON(mem->hva == MAP_FAILED, "cannot map %zu bytes of %s", size,
		      src->name);

	/* What KVM may map as 2M is then up to the type alone. */
	if (type == VM_MEM_SRC_ANONYMOUS || type == VM_MEM_SRC_SHMEM)
		madvise(mem->hva, size, MADV_NOHUGEPAGE);
	if (type == VM_MEM_SRC_ANONYMOUS_THP)
		TEST_ERROR_ON(madvise(mem->hva, size, MADV_HUGEPAGE),
			      "MADV_HUGEPAGE");
}

void backing_mem_map_fd(struct backing_mem *mem, enum vm_mem_backing_src_type type,
			size_t size, uint64_t offset, int fd, off_t fd_offset)
{
	memset(mem, 0, sizeof(*mem));
	mem->type = type;
	mem->offset = offset;
	mem->size = size;
	mem->fd = -1;
	mem->hva = mmap(reserve_congruent(mem, offset), size, PROT_READ | PROT_WRITE,
			MAP_FIXED | MAP_SHARED, fd, fd_offset);
	TEST_ERROR_ON(mem->hva == MAP_FAILED, "cannot map %zu bytes of %s", size,
		      vm_mem_backing_src_name(type));
}

void *backing_exchange(void *hva, size_t size)
{
	void *old;

	old = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	TEST_ERROR_ON(old == MAP_FAILED || mremap(hva, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
						  old) != old, "cannot move the old pages away");
	TEST_ERROR_ON(mmap(hva, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
			   MAP_NORESERVE | MAP_FIXED, -1, 0) != hva, "cannot map other pages");
	return old;
}

/*
 * The kernel refuses to seal a file against writing as long as anything maps it, or
 * has a reference to one of its pages, and tries for a while before it does: see
 * fcntl(2), F_SEAL_WRITE. A page that KVM does not let go of is seen in no other way.
 */
static void check_references(const struct backing_mem *mem)
{
	TEST_ASSERT_ORACLE(ORACLE_LEAK,
			   !fcntl(mem->fd, F_ADD_SEALS, F_SEAL_WRITE) || errno != EBUSY,
			   "0x%zx bytes of %s memory from gpa 0x%lx on are unmapped, their VM is gone, but somebody has a reference to a page of it",
			   mem->size, backing_srcs[mem->type].name, mem->offset);
}

void backing_mem_free(struct backing_mem *mem)
{
	if (mem->mmap_start)
		munmap(mem->mmap_start, mem->mmap_size);
	if (mem->fd >= 0) {
		if (backing_srcs[mem->type].memfd)
			check_references(mem);
		close(mem->fd);
	}
	memset(mem, 0, sizeof(*mem));
	mem->fd = -1;
}
