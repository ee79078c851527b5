// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's statistics: the binary statistics fd (KVM API document, section 4.134
 * KVM_GET_STATS_FD), else the VM's directory in debugfs.
 */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_internal.h"

#define MAX_STATS	1024
#define MAX_NAME	256

#define HYPERV_SIGNATURE_EBX	0x7263694d	/* "Micr" */

const char *const mapping_stats[NR_MAPPING_STATS] = {
	"pages_4k", "pages_2m", "pages_1g", "mmu_unsync", "nx_lpage_splits",
};

bool stats_fd_read(int stats_fd, const char *name, int64_t *value)
{
	union {
		struct kvm_stats_desc desc;
		char room[sizeof(struct kvm_stats_desc) + MAX_NAME];
	} u;
	struct kvm_stats_header header;
	size_t desc_size;
	uint32_t i;

	if (pread(stats_fd, &header, sizeof(header), 0) != sizeof(header) ||
	    header.name_size > MAX_NAME || header.num_desc > MAX_STATS)
		return false;
	desc_size = sizeof(struct kvm_stats_desc) + header.name_size;
	for (i = 0; i < header.num_desc; i++) {
		if (pread(stats_fd, &u, desc_size, header.desc_offset + i * desc_size) !=
		    (ssize_t)desc_size)
			return false;
		if (!strncmp(u.desc.name, name, header.name_size))
			return pread(stats_fd, value, sizeof(*value),
				     header.data_offset + u.desc.offset) ==
			       sizeof(*value);
	}
	return false;
}

static bool debugfs_stat_read(struct kvm_vm *vm, const char *name, int64_t *value)
{
	char path[256];
	bool ok;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d/%s", getpid(),
		 vm->fd, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	ok = fscanf(f, "%ld", value) == 1;
	fclose(f);
	return ok;
}

bool vm_read_stat(struct kvm_vm *vm, const char *name, int64_t *value)
{
	if (vm->stats_fd >= 0 && stats_fd_read(vm->stats_fd, name, value))
		return true;
	return vm->fd >= 0 && debugfs_stat_read(vm, name, value);
}

int64_t __vm_get_stat(struct kvm_vm *vm, const char *name)
{
	int64_t value = 0;

	TEST_ASSERT_ORACLE(ORACLE_STATS, vm_read_stat(vm, name, &value),
			   "KVM has no statistic %s", name);
	return value;
}

static bool on_hyperv(void)
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0x40000000, eax, ebx, ecx, edx);
	return ebx == HYPERV_SIGNATURE_EBX;
}

int64_t vm_tlb_flush_requests(struct kvm_vm *vm)
{
	int64_t value;

	return !on_hyperv() && vm_read_stat(vm, "remote_tlb_flush_requests", &value) ?
	       value : -1;
}

int64_t vm_mapped_pages(struct kvm_vm *vm)
{
	int64_t n4k, n2m, n1g;

	if (!vm_read_stat(vm, "pages_4k", &n4k) || !vm_read_stat(vm, "pages_2m", &n2m) ||
	    !vm_read_stat(vm, "pages_1g", &n1g))
		return -1;
	return n4k + n2m * (int64_t)(SZ_2M / SZ_4K) + n1g * (int64_t)(SZ_1G / SZ_4K);
}

void vm_expect_tlb_flush(struct kvm_vm *vm, int64_t before, const char *when)
{
	TEST_ASSERT_ORACLE(ORACLE_STATS,
			   before < 0 || vm_tlb_flush_requests(vm) > before,
			   "%s: KVM must have asked the vCPUs to flush their TLBs, but remote_tlb_flush_requests is still %ld",
			   when, before);
}

/*
 * What holds at any time: no count of mapped pages is negative, and KVM maps no
 * more memory than the memslots hold. (Shadow paging maps a gfn once per role,
 * so the upper bound is for TDP only; twice, for the SMM address space.)
 */
void vm_check_stats(struct kvm_vm *vm)
{
	static const struct {
		const char *name;
		uint64_t size;
	} stats[] = {
		{ "pages_4k", SZ_4K }, { "pages_2m", SZ_2M }, { "pages_1g", SZ_1G },
	};
	struct userspace_mem_region *r;
	uint64_t memory = 0, mapped = 0;
	int64_t value;
	size_t i;

	for (r = vm->regions; r; r = r->next)
		memory += r->size;
	for (i = 0; i < ARRAY_SIZE(stats); i++) {
		if (!vm_read_stat(vm, stats[i].name, &value))
			continue;
		TEST_ASSERT_ORACLE(ORACLE_STATS, value >= 0, "%s is %ld: negative",
				   stats[i].name, value);
		mapped += value * stats[i].size;
	}
	TEST_ASSERT_ORACLE(ORACLE_STATS,
			   !kvm_is_tdp_enabled() || mapped <= 2 * memory + SZ_2M,
			   "KVM maps 0x%lx bytes, but the memslots hold 0x%lx",
			   mapped, memory);
}
