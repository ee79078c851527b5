// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be tested of libkvm and the oracles without KVM and without being
 * root: classification, comparison, page tables, the supervisor of a case.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "../lib/test_internal.h"
#include "oracle.h"
#include "selftest.h"

/* ---- kernel log ---- */

TEST(kernel_log_trouble_is_seen)
{
	static const char *const records[] = {
		"4,1,1,-;------------[ cut here ]------------",
		"4,1,1,-;WARNING: CPU: 0 PID: 1 at arch/x86/kvm/mmu/mmu.c:1 f+0x1/0x2",
		"2,1,1,-;kernel BUG at arch/x86/kvm/mmu/mmu.c:900!",
		"1,1,1,-;BUG: kernel NULL pointer dereference, address: 0000000000000000",
		"1,1,1,-;Oops: 0000 [#1] PREEMPT SMP NOPTI",
		"3,1,1,-;get_mmio_spte: reserved bits set on MMU-present spte, addr 0xc000",
		"1,1,1,-;BUG: Bad page state in process x  pfn:12345",
		"3,1,1,-;rcu: INFO: rcu_preempt self-detected stall on CPU",
		"0,1,1,-;watchdog: BUG: soft lockup - CPU#0 stuck for 22s!",
		"3,1,1,-;INFO: task kworker/0:1 blocked for more than 120 seconds.",
		"3,1,1,-;BUG: KASAN: slab-use-after-free in kvm_x+0x1/0x2",
		"3,1,1,-;UBSAN: shift-out-of-bounds in arch/x86/kvm/mmu/spte.c:1:2",
		"4,1,1,-;WARNING: possible circular locking dependency detected",
		"4,1,1,-;refcount_t: underflow; use-after-free.",
		"3,1,1,-;BUG kmalloc-64 (Not tainted): Left Redzone overwritten",
		"3,1,1,-;BUG kvm_mmu_page_header (Not tainted): Objects remaining in it",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(records); i++)
		EXPECT_TRUE(kmsg_record_is_splat(records[i]))
			TH_LOG("record %zu is not seen", i);
}

TEST(kernel_log_chatter_is_not_trouble)
{
	static const char *const records[] = {
		"6,1,1,-;kvm: Nested Virtualization enabled",
		"6,1,1,-;SVM: kvm: Nested Paging enabled",
		"6,1,1,-;x86/kvm[123]: segfault at 0 ip 0000 sp 0000 error 4",
		/* facility 1: user space wrote it, a breadcrumb for one */
		"13,1,1,-;mmio_gap_test.kvm.x: look for WARNING: and BUG:",
		"no record at all WARNING:",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(records); i++)
		EXPECT_FALSE(kmsg_record_is_splat(records[i]))
			TH_LOG("record %zu is taken for trouble", i);
}

TEST(new_taint_is_trouble_old_is_not)
{
	const unsigned long long warn = BIT(9), die = BIT(7), module = BIT(12);

	EXPECT_EQ(warn, taint_new_trouble(0, warn));
	EXPECT_EQ(die, taint_new_trouble(warn, warn | die));
	EXPECT_EQ(0, taint_new_trouble(warn, warn));
	EXPECT_EQ(0, taint_new_trouble(0, module));
}

/* ---- the host as it was ---- */

static void put_file(const char *root, const char *path, const char *text)
{
	char full[512], *slash;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(full, 0755);
		*slash = '/';
	}
	f = fopen(full, "w");
	if (!f)
		abort();
	fputs(text, f);
	fclose(f);
}

static void put_host(const char *root)
{
	put_file(root, "/sys/kernel/debug/kvm/pages_4k", "0\n");
	put_file(root, "/sys/module/kvm_amd/refcnt", "0\n");
	put_file(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "8\n");
	put_file(root, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "8\n");
	put_file(root, "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1\n");
	put_file(root, "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
	put_file(root, "/proc/meminfo", "MemTotal: 1 kB\nSecPageTables:        0 kB\n");
	put_file(root, "/proc/vmallocinfo", "0x0-0x1 4096 alloc+0x1/0x2 vmalloc\n");
	put_file(root, "/sys/kernel/slab/kvm_mmu_page_header/objects", "0\n");
	put_file(root, "/sys/kernel/slab/pte_list_desc/objects", "5 N0=5\n");
	put_file(root, "/sys/kernel/slab/kvm_vcpu/objects", "0\n");
}

TEST(each_leak_is_seen)
{
	static const struct {
		const char *path, *text, *word;
	} leaks[] = {
		{ "/sys/kernel/debug/kvm/123-4/pages_4k", "0\n", "VMs in debugfs" },
		{ "/sys/module/kvm_amd/refcnt", "1\n", "vendor module" },
		{ "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "7\n",
		  "2M huge pages" },
		{ "/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n",
		  "1G huge pages" },
		{ "/proc/meminfo", "SecPageTables:  4 kB\n", "SecPageTables" },
		{ "/proc/vmallocinfo",
		  "0x0-0x1 8192 memslot_rmap_alloc+0x1/0x2 [kvm] vmalloc\n", "vmalloc" },
		{ "/sys/kernel/slab/kvm_mmu_page_header/objects", "1 N0=1\n",
		  "kvm_mmu_page_header" },
		{ "/sys/kernel/slab/pte_list_desc/objects", "6 N0=6\n", "pte_list_desc" },
		{ "/sys/kernel/slab/kvm_vcpu/objects", "1 N0=1\n", "kvm_vcpu" },
	};
	char root[] = "/tmp/kvm-selftest-host-XXXXXX", text[4096], cmd[64];
	struct host_state before, now;
	size_t i;

	ASSERT_NE(NULL, mkdtemp(root));
	EXPECT_EQ(NR_HOST_COUNTERS, ARRAY_SIZE(leaks));
	for (i = 0; i < ARRAY_SIZE(leaks); i++) {
		put_host(root);
		host_state_read(&before, root);
		EXPECT_EQ(0, host_state_compare(&before, &before, text, sizeof(text)));
		put_file(root, leaks[i].path, leaks[i].text);
		host_state_read(&now, root);
		EXPECT_EQ(1, host_state_compare(&before, &now, text, sizeof(text)));
		EXPECT_NE(NULL, strstr(text, leaks[i].word))
			TH_LOG("%s: %s", leaks[i].path, text);
		snprintf(cmd, sizeof(cmd), "rm -rf %s/sys/kernel/debug", root);
		EXPECT_EQ(0, system(cmd));
	}
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	EXPECT_EQ(0, system(cmd));
}

TEST(counter_that_cannot_be_read_is_not_compared)
{
	struct host_state none, some;
	char text[4096];
	int i;

	for (i = 0; i < NR_HOST_COUNTERS; i++) {
		none.value[i] = -1;
		some.value[i] = 7;
	}
	EXPECT_EQ(0, host_state_compare(&none, &some, text, sizeof(text)));
	EXPECT_EQ(0, host_state_compare(&some, &none, text, sizeof(text)));
}

/* ---- statistics ---- */

#define STAT_NAME_SIZE	48

static void write_at(int fd, const void *data, size_t size, off_t offset)
{
	if (pwrite(fd, data, size, offset) != (ssize_t)size)
		abort();
}

/* A file as a statistics fd has it, with pages_4k and a pages_2m of 77. */
static int stats_file(int64_t pages_4k)
{
	const size_t desc_size = sizeof(struct kvm_stats_desc) + STAT_NAME_SIZE;
	const char *const names[] = { "pages_4k", "pages_2m" };
	const int64_t data[] = { pages_4k, 77 };
	struct kvm_stats_header header = {
		.name_size = STAT_NAME_SIZE,
		.num_desc = ARRAY_SIZE(data),
		.desc_offset = sizeof(header),
		.data_offset = sizeof(header) + ARRAY_SIZE(data) * desc_size,
	};
	int fd = memfd_create("stats", 0);
	size_t i;

	write_at(fd, &header, sizeof(header), 0);
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		struct kvm_stats_desc desc = { .offset = i * sizeof(data[0]) };
		off_t at = header.desc_offset + i * desc_size;

		write_at(fd, &desc, sizeof(desc), at);
		write_at(fd, names[i], strlen(names[i]) + 1, at + sizeof(desc));
	}
	write_at(fd, data, sizeof(data), header.data_offset);
	return fd;
}

TEST(binary_statistics_are_read_by_name)
{
	int64_t value = 0;
	int fd = stats_file(-3);

	EXPECT_TRUE(stats_fd_read(fd, "pages_4k", &value));
	EXPECT_EQ(-3, value);
	EXPECT_TRUE(stats_fd_read(fd, "pages_2m", &value));
	EXPECT_EQ(77, value);
	EXPECT_FALSE(stats_fd_read(fd, "pages_1g", &value));
	close(fd);
	EXPECT_FALSE(stats_fd_read(fd, "pages_4k", &value));
}

static int check_stats(const void *arg)
{
	struct kvm_vm vm = { .fd = -1, .stats_fd = stats_file(*(int64_t *)arg) };

	vm_check_stats(&vm);
	return CASE_PASS;
}

TEST(negative_page_count_fails)
{
	struct captured c;
	int64_t value = -1;

	capture(&c, check_stats, &value);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: stats", "pages_4k is -1: negative");
}

/* ---- MMIO exits ---- */

static struct kvm_run mmio_run(void)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_MMIO };

	run.mmio.phys_addr = 0x5000;
	run.mmio.len = 4;
	run.mmio.is_write = 1;
	memcpy(run.mmio.data, "\x78\x56\x34\x12", 4);
	return run;
}

static int check_mmio(const void *arg)
{
	struct kvm_run run = mmio_run();
	struct kvm_vm vm = { .fd = -1, .stats_fd = -1 };
	struct kvm_vcpu vcpu = { .vm = &vm, .run = &run, .fd = -1 };

	vcpu_check_mmio(&vcpu, arg);
	return CASE_PASS;
}

TEST(mmio_exit_is_compared_in_full)
{
	const struct mmio_access good = { 0x5000, 4, true, 0x12345678 };
	struct mmio_access bad;
	struct captured c;

	capture(&c, check_mmio, &good);
	EXPECT_CAPTURED(&c, CASE_PASS, "");

	bad = good;
	bad.gpa = 0x5004;
	capture(&c, check_mmio, &bad);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data", "want KVM_EXIT_MMIO write of 4 bytes at gpa 0x5004",
			"got KVM_EXIT_MMIO write of 4 bytes at gpa 0x5000", "gap between");
	bad = good;
	bad.len = 8;
	capture(&c, check_mmio, &bad);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data");
	bad = good;
	bad.is_write = false;
	capture(&c, check_mmio, &bad);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data");
	bad = good;
	bad.data = 0x12345679;
	capture(&c, check_mmio, &bad);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: data", "data 0x12345679", "data 0x12345678");
}

/* ---- memslots and page tables, on a VM without KVM ---- */

static void fake_vm(struct kvm_vm *vm, struct userspace_mem_region *r, int top_level)
{
	memset(vm, 0, sizeof(*vm));
	memset(r, 0, sizeof(*r));
	r->gpa = VM_SYS_GPA;
	r->size = 64 * PAGE_SIZE;
	backing_mem_alloc(&r->mem, VM_MEM_SRC_ANONYMOUS, r->size, r->gpa);
	vm->regions = r;
	vm->pa_bits = 40;
	vm->top_level = top_level;
	vm->next_sys_gpa = VM_SYS_GPA;
	vm->next_gva = 0x7f0000000000UL;
	virt_pgd_alloc(vm);
}

FIXTURE(page_tables) { };
FIXTURE_SETUP(page_tables) { }
FIXTURE_TEARDOWN(page_tables) { }
FIXTURE_VARIANT(page_tables) {
	int top_level;
};
FIXTURE_VARIANT_ADD(page_tables, of_four_levels) { PG_LEVEL_512G };
FIXTURE_VARIANT_ADD(page_tables, of_five_levels) { PG_LEVEL_256T };

TEST_F(page_tables, translate_every_level)
{
	static const struct {
		gva_t gva;
		gpa_t gpa;
		int level;
	} maps[] = {
		{ 0x400000, 0x1003000, PG_LEVEL_4K },
		{ 0x40000000, 0x80200000, PG_LEVEL_2M },
		{ 0x8000000000, 0x3fc0000000, PG_LEVEL_1G },
		/* Five levels only: in the second entry of the root. */
		{ 0x1000000000000, 0x2000000, PG_LEVEL_2M },
	};
	struct userspace_mem_region r;
	struct kvm_vm vm;
	gpa_t gpa;
	size_t i;
	int level;

	fake_vm(&vm, &r, variant->top_level);
	for (i = 0; i < ARRAY_SIZE(maps); i++) {
		gva_t last = maps[i].gva + PG_LEVEL_SIZE(maps[i].level) - 1;

		if (last >> PG_LEVEL_SHIFT(vm.top_level + 1))
			continue;
		__virt_pg_map(&vm, maps[i].gva, maps[i].gpa, maps[i].level);
		EXPECT_EQ(maps[i].gpa, addr_gva2gpa(&vm, maps[i].gva));
		EXPECT_EQ(maps[i].gpa + PG_LEVEL_SIZE(maps[i].level) - 1,
			  addr_gva2gpa(&vm, last));
		EXPECT_FALSE(__addr_gva2gpa(&vm, last + 1, &gpa));
		ASSERT_NE(NULL, vm_get_pte(&vm, maps[i].gva, &level));
		EXPECT_EQ(maps[i].level, level);
	}
	backing_mem_free(&r.mem);
}

TEST(gpa_is_described)
{
	struct userspace_mem_region r;
	struct kvm_vm vm;
	char buf[256];

	fake_vm(&vm, &r, PG_LEVEL_512G);
	vm_describe_gpa(&vm, VM_SYS_GPA + 1, buf, sizeof(buf));
	EXPECT_NE(NULL, strstr(buf, "slot 0 [gpa 0x1000000-0x1040000) anonymous"));
	vm_describe_gpa(&vm, 0x1000, buf, sizeof(buf));
	EXPECT_NE(NULL, strstr(buf, "gap between the bottom and slot 0's start"));
	vm_describe_gpa(&vm, VM_SYS_GPA + r.size, buf, sizeof(buf));
	EXPECT_NE(NULL, strstr(buf, "slot 0's end 0x1040000 and the top"));
	backing_mem_free(&r.mem);
}

TEST(backing_is_congruent)
{
	static const enum vm_mem_backing_src_type types[] = {
		VM_MEM_SRC_ANONYMOUS, VM_MEM_SRC_SHMEM, VM_MEM_SRC_FILE,
	};
	struct backing_mem mem;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		backing_mem_alloc(&mem, types[i], 3 * PAGE_SIZE, 0x123456000);
		EXPECT_EQ(0x123456000 % SZ_1G, (uintptr_t)mem.hva % SZ_1G);
		memset(mem.hva, 0x5a, mem.size);
		backing_mem_free(&mem);
	}
}

TEST(random_numbers_repeat)
{
	uint64_t first;

	case_context.random = 42;
	first = test_random();
	EXPECT_NE(first, test_random());
	case_context.random = 42;
	EXPECT_EQ(first, test_random());
}

/* ---- the supervisor ---- */

static void body_pass(const void *variant)
{
	(void)variant;
}

static void body_fail(const void *variant)
{
	breadcrumb("about to fail");
	TEST_ASSERT_EQ(*(const int *)variant, 2);
}

static void body_skip(const void *variant)
{
	TEST_REQUIRE(!variant);
	test_skip("needs what nobody has");
}

static void body_hang(const void *variant)
{
	(void)variant;
	for (;;)
		pause();
}

static void body_crash(const void *variant)
{
	*(volatile int *)variant = 1;
}

static void body_killed(const void *variant)
{
	(void)variant;
	kill(getpid(), SIGKILL);
}

static void body_exits(const void *variant)
{
	(void)variant;
	exit(0);
}

static void body_leaves_child(const void *variant)
{
	(void)variant;
	if (!fork()) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
}

TEST(case_that_passes)
{
	struct captured c;

	RUN_CASE(&c, .body = body_pass);
	EXPECT_CAPTURED(&c, CASE_PASS, "");
}

TEST(case_that_fails_says_where_and_how_to_repeat)
{
	struct captured c;
	int one = 1;

	RUN_CASE(&c, .body = body_fail, .variant = &one);
	EXPECT_CAPTURED(&c, CASE_FAIL, "lib_selftest.c:", "is 0x1", "is 0x2",
			"oracle: data", "step: about to fail",
			"repeat: selftest --case kvm.fed --seed ", "HINT: ");
}

TEST(case_that_skips_says_why)
{
	struct captured c;

	RUN_CASE(&c, .body = body_skip);
	EXPECT_CAPTURED(&c, CASE_SKIP, "reason: needs what nobody has");
}

TEST(case_that_hangs_is_ended)
{
	struct captured c;

	RUN_CASE(&c, .body = body_hang, .timeout = 1);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: hang", "no end after", "thread");
}

TEST(case_that_crashes)
{
	struct captured c;

	RUN_CASE(&c, .body = body_crash);
	EXPECT_CAPTURED(&c, CASE_FAIL, "died of signal 11", "oracle: data");
}

TEST(case_that_is_killed)
{
	struct captured c;

	RUN_CASE(&c, .body = body_killed);
	EXPECT_CAPTURED(&c, CASE_FAIL, "died of signal 9", "oracle: exit");
}

TEST(case_that_calls_exit_does_not_pass)
{
	struct captured c;

	RUN_CASE(&c, .body = body_exits);
	EXPECT_CAPTURED(&c, CASE_FAIL, "oracle: error", "exit(0)");
}

TEST(case_that_leaves_a_process_behind)
{
	struct captured c;

	RUN_CASE(&c, .body = body_leaves_child);
	EXPECT_CAPTURED(&c, CASE_FAIL, "left process", "oracle: error");
}

/* ---- needs and options ---- */

TEST(all_missing_needs_are_collected)
{
	const struct kvm_needs needs = { .huge_2m = 1000000, .cpus = 4096 };
	char reason[CASE_REASON_SIZE];

	EXPECT_FALSE(kvm_needs_met(&needs, reason, sizeof(reason)));
	EXPECT_NE(NULL, strstr(reason, "needs 1000000 free 2M huge pages"));
	EXPECT_NE(NULL, strstr(reason, "; needs 4096 CPUs"));
	EXPECT_TRUE(kvm_needs_met(&(struct kvm_needs){}, reason, sizeof(reason)));
}

TEST(case_globs_select)
{
	struct kvm_test_options opts = { .cases = { "kvm.read_*" }, .nr_cases = 1 };

	EXPECT_TRUE(kvm_test_case_selected(&opts, "kvm.read_x"));
	EXPECT_FALSE(kvm_test_case_selected(&opts, "kvm.write_x"));
	opts.nr_cases = 0;
	EXPECT_TRUE(kvm_test_case_selected(&opts, "kvm.write_x"));
}

TEST(tries_are_in_percent)
{
	EXPECT_EQ(test_tries(12), 12);
	setenv("KVM_TEST_TRIES", "2000", 1);
	EXPECT_EQ(test_tries(12), 240);
	setenv("KVM_TEST_TRIES", "50", 1);
	EXPECT_EQ(test_tries(12), 6);
	EXPECT_EQ(test_tries(3), 2);
	setenv("KVM_TEST_TRIES", "0", 1);
	EXPECT_EQ(test_tries(3), 1);
	unsetenv("KVM_TEST_TRIES");
}

static int bad_option(const void *arg)
{
	char *argv[] = { "selftest", (char *)arg, NULL };
	struct kvm_test_options opts = {};

	dup2(STDOUT_FILENO, STDERR_FILENO);
	kvm_test_parse_options(&(struct kvm_test){ .name = "selftest" }, 2, argv,
			       &opts);
	return 0;
}

TEST(bad_option_ends_with_2)
{
	struct captured c;

	capture(&c, bad_option, "--nonsense");
	EXPECT_CAPTURED(&c, 2, "--nonsense", "usage:");
}

SELFTEST_MAIN(lib_selftest)
