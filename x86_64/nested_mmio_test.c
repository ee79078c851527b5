// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_mmio_test, .needs = { .mem_mb = 64 });

KVM_FIXTURE(l2);
FIXTURE_VARIANT(l2) {
	bool paging;
};

FIXTURE_VARIANT_ADD(l2, nested_paging) { .paging = true };
FIXTURE_VARIANT_ADD(l2, own_page_tables) { .paging = false };

KVM_TEST_F(l2, smoke)
{
	struct nested_cpu *cpu;
	struct nested n;
	gpa_t gap = NESTED_GPA + SZ_2M;

	nested_create(&n, 1, variant->paging);
	cpu = &n.cpu[0];
	vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA, NESTED_SLOT,
				    16, 0);
	nested_map(&n, 0, NESTED_GPA, 8 * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	nested_map(&n, SZ_2M, gap, 8 * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	*(uint64_t *)addr_gpa2hva(n.vm, NESTED_GPA) = 0x1234;
	l2_read(cpu, 0, 0x1234);
	nested_run(cpu, "first");
	l2_write(cpu, 8, 0x5678);
	l2_read(cpu, 8, 0x5678);
	l1_read(cpu, NESTED_GPA + 8, 0x5678);
	l2_read_gap(cpu, SZ_2M, gap);
	l2_read_gap(cpu, SZ_2M + PAGE_SIZE + 16, gap + PAGE_SIZE + 16);
	l1_read_gap(cpu, gap);
	l2_write_gap(cpu, SZ_2M, gap, 0x99);
	l2_fault(cpu, L2_READ, 2 * SZ_2M, 0);
	l2_fault(cpu, L2_WRITE, 2 * SZ_2M + 8, PFERR_WRITE_MASK);
	nested_run(cpu, "second");
	nested_free(&n);
}

KVM_TEST_MAIN()
