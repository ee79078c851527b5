// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's directory in debugfs.
 *
 * Its files say the same as the binary statistics, which add up over the vCPUs;
 * what only counts up can be set back to 0, and what says how much is there now
 * cannot; the table of reverse maps has every page of the memslots once. Who has
 * a file open when the VMM dies still reads it, and holds the VM until it is closed.
 *
 * Bugs of this class: a reference that is not taken, or not given back; a statistic
 * that can be cleared and then goes below 0; a walk beyond a memslot's end.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "host_watch.h"
#include "kvm_test_harness.h"
#include "vm_alive.h"
#include "vmm.h"

KVM_TEST_SUITE(vm_debugfs_test,
	.needs = { .privileged = true },
	.fixes = FIXES("833b45de69a6 kvm: x86, powerpc: do not allow clearing largepages debugfs entry"));

#define DEBUGFS		"/sys/kernel/debug/kvm"

static const struct alive alive = { .npages = 64, .ngaps = 4, .nslots = 2, .nvcpus = 2 };

/* Skips the case where it cannot be looked at. */
static void vm_dir(struct kvm_vm *vm, char *dir, size_t size)
{
	snprintf(dir, size, DEBUGFS "/%d-%d", getpid(), vm->fd);
	__TEST_REQUIRE(!access(dir, R_OK), "cannot read %s: needs debugfs, mounted there", dir);
}

static int open_in(const char *dir, const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return open(path, flags | O_CLOEXEC);
}

static ssize_t read_text(int fd, char *text, size_t size)
{
	ssize_t n = read(fd, text, size - 1);

	text[n > 0 ? n : 0] = 0;
	return n;
}

/* False when it is not there, or not a number. */
static bool read_number(const char *dir, const char *name, int64_t *value)
{
	int fd = open_in(dir, name, O_RDONLY);
	char text[64], *end = text;

	if (fd < 0)
		return false;
	if (read_text(fd, text, sizeof(text)) > 0)
		*value = strtoll(text, &end, 10);
	close(fd);
	return end != text;
}

static void add_vcpu_stats_fds(struct kvm_vm *vm, int *fds)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		fds[i] = ioctl(vm->vcpus[i]->fd, KVM_GET_STATS_FD, NULL);
		__TEST_REQUIRE(fds[i] >= 0, "needs KVM_GET_STATS_FD, since 5.14");
	}
}

/* Of the VM, or of all its vCPUs. */
static bool read_binary(struct kvm_vm *vm, const int *fds, const char *name, int64_t *sum)
{
	int64_t value;
	uint32_t i;

	if (stats_fd_read(vm->stats_fd, name, sum))
		return true;
	for (i = 0, *sum = 0; i < vm->nr_vcpus; i++) {
		if (!stats_fd_read(fds[i], name, &value))
			return false;
		*sum += value;
	}
	return true;
}

KVM_TEST(files_are_the_binary_statistics)
{
	struct kvm_vm *vm = vm_alive_create((void *)&alive);
	unsigned int compared = 0, above_0 = 0;
	int64_t file, binary;
	struct dirent *d;
	char dir[64];
	int fds[2];
	DIR *stream;

	vm_dir(vm, dir, sizeof(dir));
	add_vcpu_stats_fds(vm, fds);
	stream = opendir(dir);
	TEST_ERROR_ON(!stream, "opendir");
	while ((d = readdir(stream))) {
		if (d->d_type == DT_DIR || !read_binary(vm, fds, d->d_name, &binary) ||
		    !read_number(dir, d->d_name, &file))
			continue;
		TEST_ASSERT_ORACLE(ORACLE_STATS, file == binary,
				   "%s/%s is %ld, but by the statistics fds it is %ld", dir,
				   d->d_name, file, binary);
		compared++;
		above_0 += file > 0;
	}
	closedir(stream);
	TEST_ASSERT_ORACLE(ORACLE_STATS, compared > 20 && above_0 > 5,
			   "%s has only %u files of statistics, %u of them not 0", dir, compared,
			   above_0);
	close(fds[0]);
	close(fds[1]);
	kvm_vm_free(vm);
}

/* ---- back to 0 ---- */

/* Returns the errno, or 0. */
static int write_number(const char *dir, const char *name, const char *text)
{
	int fd = open_in(dir, name, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	close(fd);
	return err;
}

static void expect_kept(const char *dir, const char *name)
{
	int64_t before, after;
	int err;

	if (!read_number(dir, name, &before))
		return;
	err = write_number(dir, name, "0");
	TEST_ASSERT_ORACLE(ORACLE_ERRNO, err, "%s/%s, which is what there is now, can be set to 0",
			   dir, name);
	TEST_ASSERT_ORACLE(ORACLE_STATS, read_number(dir, name, &after) && after == before,
			   "%s/%s was %ld and is %ld", dir, name, before, after);
}

static void expect_cleared(const char *dir, const char *name)
{
	int64_t value;

	TEST_ASSERT_ORACLE(ORACLE_STATS, read_number(dir, name, &value) && value > 0,
			   "%s/%s is %ld", dir, name, value);
	TEST_ASSERT_EQ(write_number(dir, name, "1"), EINVAL);
	TEST_ASSERT_EQ(write_number(dir, name, "0"), 0);
	TEST_ASSERT_ORACLE(ORACLE_STATS, read_number(dir, name, &value) && !value,
			   "%s/%s was set to 0, and is %ld", dir, name, value);
}

KVM_TEST(what_is_there_now_cannot_be_cleared)
{
	struct kvm_vm *vm = vm_alive_create((void *)&alive);
	char dir[64];
	size_t i;

	vm_dir(vm, dir, sizeof(dir));
	__TEST_REQUIRE(kernel_at_least(5, 14), "older kernels let more be cleared");
	for (i = 0; i < NR_MAPPING_STATS; i++) {
		expect_kept(dir, mapping_stats[i]);
		expect_kept(DEBUGFS, mapping_stats[i]);
	}
	expect_cleared(dir, "pf_fixed");
	expect_cleared(dir, "exits");
	kvm_vm_free(vm);
}

/* ---- reverse maps ---- */

/* The counts of one level, as columns; false where it is not in the table. */
static bool count_rmaps(const char *text, const char *level, uint64_t *total,
			uint64_t *mapped)
{
	const char *p = strstr(text, level);
	char *end;
	uint64_t n;
	int column;

	if (!p)
		return false;
	*total = *mapped = 0;
	for (column = 0, p += strlen(level); *p != '\n'; column++, p = end) {
		n = strtoul(p, &end, 10);
		if (end == p)
			break;
		*total += n;
		*mapped += column ? n : 0;
	}
	return true;
}

static void expect_rmaps(struct kvm_vm *vm, const char *dir, bool any, const char *when)
{
	int64_t pages = 0, mapped_4k;
	struct userspace_mem_region *r;
	char text[4096];
	uint64_t total, mapped;
	int fd = open_in(dir, "mmu_rmaps_stat", O_RDONLY);

	__TEST_REQUIRE(fd >= 0, "%s has no mmu_rmaps_stat, which is there since 5.15", dir);
	mapped_4k = vm_get_stat(vm, pages_4k);
	breadcrumb("%s: read mmu_rmaps_stat", when);
	read_text(fd, text, sizeof(text));
	close(fd);
	__TEST_REQUIRE(count_rmaps(text, "Level=4K:", &total, &mapped),
		       "this VM has no reverse maps: kvm_amd.npt=0, or kvm.tdp_mmu=0");
	for (r = vm->regions; r; r = r->next)
		pages += r->size / PAGE_SIZE;
	/* KVM has a few pages of its own. */
	TEST_ASSERT_ORACLE(ORACLE_STATS, (int64_t)total >= pages && (int64_t)total <= pages + 8,
			   "%s: the memslots have %ld pages, and mmu_rmaps_stat has %lu", when,
			   pages, total);
	TEST_ASSERT_ORACLE(ORACLE_STATS, (int64_t)mapped <= mapped_4k && (mapped || !any),
			   "%s: pages_4k is %ld, but mmu_rmaps_stat says that %lu 4K pages are mapped",
			   when, mapped_4k, mapped);
}

#define ODD_GPA		0x2345ff000UL	/* slots that begin and end within large pages */
#define ODD_SLOT	300

KVM_TEST(rmaps_are_of_all_pages_of_the_memslots)
{
	struct kvm_vm *vm = vm_alive_create((void *)&alive);
	unsigned int i;
	char dir[64];

	vm_dir(vm, dir, sizeof(dir));
	expect_rmaps(vm, dir, true, "VM");
	for (i = 1; i <= 3; i++)
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, ODD_GPA + i * SZ_1G,
					    ODD_SLOT + i, i + (i - 1) * 512,
					    i & 1 ? KVM_MEM_LOG_DIRTY_PAGES : 0);
	expect_rmaps(vm, dir, false, "more slots");
	vm_mem_region_move(vm, ODD_SLOT + 2, ODD_GPA + 2 * SZ_1G + PAGE_SIZE);
	expect_rmaps(vm, dir, false, "slot moved");
	vm_mem_region_delete(vm, ODD_SLOT + 3);
	expect_rmaps(vm, dir, false, "slot deleted");
	kvm_vm_free(vm);
}

/* ---- who reads while the VM dies ---- */

static void vmm_main(void *arg, int sock)
{
	struct kvm_vm *vm = vm_alive_create(arg);

	vmm_say_ready(sock, vm);
	vmm_expect(sock, 'd');
}

static void hold_file(const char *name, bool holds_vm)
{
	struct host_watch host;
	char text[4096];
	struct vmm vmm;
	ssize_t n;
	int fd;

	host_watch_start(&host);
	vmm_start(&vmm, "VMM", vmm_main, (void *)&alive);
	vmm_wait_ready(&vmm);
	__TEST_REQUIRE(vmm.vm_dir[0], "needs debugfs, mounted on /sys/kernel/debug");
	fd = open_in(vmm.vm_dir, name, O_RDONLY);
	if (fd < 0) {
		TEST_ERROR_ON(errno != ENOENT, "open %s/%s", vmm.vm_dir, name);
		pr_info("this kernel has no %s", name);
	}
	breadcrumb("the VMM exits, %s of its VM is open", name);
	vmm_say(vmm.sock, 'd');
	vmm_wait(&vmm, false);
	if (fd >= 0 && holds_vm) {
		vmm_expect_there(&vmm, name);
		/* Since 6.8 only the fds of a VM and its vCPUs do. */
		if (!kernel_at_least(6, 8))
			host_watch_expect_module_held(&host, name);
		n = read_text(fd, text, sizeof(text));
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, n >= 0, "cannot read %s of a VM that it holds: errno %d (%s)",
				   name, errno, strerror(errno));
	} else if (fd >= 0) {
		vmm_expect_gone(&vmm, "its VMM");
		n = read_text(fd, text, sizeof(text));
		TEST_ASSERT_ORACLE(ORACLE_ERRNO, n < 0, "%s of a VM that is gone says \"%s\"",
				   name, text);
	}
	breadcrumb("close %s", name);
	if (fd >= 0)
		close(fd);
	vmm_expect_gone(&vmm, name);
	host_watch_expect_clean(&host, name);
}

KVM_TEST(open_file_holds_the_vm)
{
	unsigned int i;

	for (i = 0; i < test_tries(2); i++) {
		hold_file("pages_4k", true);
		hold_file("remote_tlb_flush", true);
		hold_file("exits", true);
		hold_file("mmu_rmaps_stat", true);
		hold_file("vcpu0/tsc-offset", false);
		hold_file("vcpu1/lapic_timer_advance_ns", false);
	}
}

KVM_TEST_MAIN()
