// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VM must not leave behind. The counters are the whole host's, so they
 * mean something only while no other VM is there; case.c looks after that.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host_files.h"
#include "oracle.h"
#include "test_util.h"

static const char *const counter_names[NR_HOST_COUNTERS] = {
	[HOST_VMS] = "VMs in debugfs",
	[HOST_MODULE_REFS] = "references to the vendor module",
	[HOST_HUGE_2M] = "2M huge pages in use",
	[HOST_HUGE_1G] = "1G huge pages in use",
	[HOST_SEC_PAGE_TABLES] = "kB of SecPageTables",
	[HOST_SLAB_MMU_PAGE] = "kvm_mmu_page_header objects",
	[HOST_SLAB_PTE_LIST] = "pte_list_desc objects",
	[HOST_SLAB_VCPU] = "kvm_vcpu objects",
	[HOST_VMALLOC_KVM] = "vmalloc areas of KVM",
};

FILE *open_below(const char *root, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return fopen(full, "re");
}

int64_t read_number(const char *root, const char *path)
{
	FILE *f = open_below(root, path);
	int64_t value;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* VM directories are named <pid>-<fd>. */
int64_t host_vms(const char *root)
{
	char path[512];
	struct dirent *d;
	int64_t nr = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/debug/kvm", root);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((d = readdir(dir))) {
		if (d->d_name[0] >= '0' && d->d_name[0] <= '9')
			nr++;
	}
	closedir(dir);
	return nr;
}

static int64_t module_refs(const char *root)
{
	int64_t refs = read_number(root, "/sys/module/kvm_amd/refcnt");

	return refs >= 0 ? refs : read_number(root, "/sys/module/kvm_intel/refcnt");
}

static int64_t huge_in_use(const char *root, unsigned int kb)
{
	int64_t nr, nr_free;
	char path[128];

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%ukB/nr_hugepages", kb);
	nr = read_number(root, path);
	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%ukB/free_hugepages", kb);
	nr_free = read_number(root, path);
	return nr < 0 || nr_free < 0 ? -1 : nr - nr_free;
}

int64_t meminfo_kb(const char *root, const char *field)
{
	FILE *f = open_below(root, "/proc/meminfo");
	size_t len = strlen(field);
	int64_t value = -1;
	char line[128];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, field, len) && line[len] == ':')
			value = strtol(line + len + 1, NULL, 10);
	}
	fclose(f);
	return value;
}

void poke_file(const char *root, const char *path, int flags)
{
	char full[512], c = '1';
	int fd;

	snprintf(full, sizeof(full), "%s%s", root, path);
	fd = open(full, flags | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Best effort: without it the counter is only less exact. */
	if ((flags == O_WRONLY ? write(fd, &c, 1) : read(fd, &c, 1)) < 0)
		errno = 0;
	close(fd);
}

/* "shrink" gives the per-CPU slabs back, so that "objects" is exact. */
int64_t slab_objects(const char *root, const char *cache)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	poke_file(root, path, O_WRONLY);
	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/objects", cache);
	return read_number(root, path);
}

/*
 * A cache that is merged with others counts those, too, and is no use (boot with
 * slab_nomerge).
 */
static int64_t own_slab_objects(const char *root, const char *cache)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/aliases", cache);
	return read_number(root, path) > 0 ? -1 : slab_objects(root, cache);
}

/* /proc/vmallocinfo names the code that asked for each area. */
static int64_t vmalloc_areas(const char *root)
{
	FILE *f = open_below(root, "/proc/vmallocinfo");
	int64_t nr = 0;
	char line[512];

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		nr += strstr(line, "[kvm") || strstr(line, " kvm_") ||
		      strstr(line, "memslot_rmap_alloc");
	fclose(f);
	return nr;
}

void host_state_read(struct host_state *state, const char *root)
{
	int64_t *v = state->value;

	/* Folds the per-CPU differences into the counters of /proc/meminfo. */
	poke_file(root, "/proc/sys/vm/stat_refresh", O_RDONLY);

	v[HOST_VMS] = host_vms(root);
	v[HOST_MODULE_REFS] = module_refs(root);
	v[HOST_HUGE_2M] = huge_in_use(root, 2048);
	v[HOST_HUGE_1G] = huge_in_use(root, 1048576);
	v[HOST_SEC_PAGE_TABLES] = meminfo_kb(root, "SecPageTables");
	v[HOST_SLAB_MMU_PAGE] = own_slab_objects(root, "kvm_mmu_page_header");
	v[HOST_SLAB_PTE_LIST] = own_slab_objects(root, "pte_list_desc");
	v[HOST_SLAB_VCPU] = own_slab_objects(root, "kvm_vcpu");
	v[HOST_VMALLOC_KVM] = vmalloc_areas(root);
}

unsigned int host_state_compare(const struct host_state *before,
				const struct host_state *now, char *text,
				size_t size)
{
	unsigned int nr = 0;
	size_t used = 0;
	int i;

	text[0] = 0;
	for (i = 0; i < NR_HOST_COUNTERS; i++) {
		int64_t was = before->value[i], is = now->value[i];

		if (was < 0 || is < 0 || is <= was)
			continue;
		nr++;
		if (used < size)
			used += snprintf(text + used, size - used,
					 "  left behind: %s: %ld before the case, %ld after it\n",
					 counter_names[i], was, is);
	}
	return nr;
}

unsigned int host_state_check(const struct host_state *before, struct host_state *now,
			      unsigned int seconds, char *text, size_t size)
{
	struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };
	struct timespec start, time;
	unsigned int nr;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		host_state_read(now, "");
		nr = host_state_compare(before, now, text, size);
		clock_gettime(CLOCK_MONOTONIC, &time);
		if (!nr || time.tv_sec - start.tv_sec >= (time_t)seconds)
			return nr;
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 320 * 1000 * 1000)
			nap.tv_nsec *= 2;
	}
}
