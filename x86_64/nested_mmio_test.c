// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO of an L2. What L1 maps for its L2 to a gpa that no memslot of L0 has is an
 * exit to user space, with the gpa of L1 and the data of L2, be it the first access
 * or the thousandth, whatever memslot updates come in between. What L1 does not map
 * is a fault that L1 gets, and user space hears nothing of it.
 *
 * What breaks this: a gpa of L2 taken for one of L1, in a vCPU's cached MMIO access,
 * by the emulator, or on the bus of fast MMIO; MMIO SPTEs of the nested MMU that
 * outlive their generation, or whose reserved bits are another MMU's; the walk of
 * L2's page tables with the wrong MMU.
 */

#include "ioeventfd.h"
#include "kvm_test_harness.h"
#include "nested.h"

KVM_TEST_SUITE(nested_mmio_test,
	.needs = { .mem_mb = 64 },
	.fixes = FIXES("9034e6e89553 KVM: x86: fix use of L1 MMIO areas in nested guests"));

#define DRIVE_SLOT	2	/* its updates drive the generation */
#define DRIVE_GPA	0xe0000000UL
#define NUMBER_SLOT	3	/* RAM at gpas of L1 whose numbers are L2's */

#define NPAGES		8
#define RAM_OFF		0UL
#define GAP_OFF		SZ_2M
#define UNMAPPED_OFF	(2 * SZ_2M)
#define GAP_GPA		(NESTED_GPA + 64 * SZ_1M)

NESTED_VARIANTS(l2)

static void create(struct nested *n, bool paging)
{
	nested_create(n, 1, paging);
	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, NESTED_GPA, NESTED_SLOT,
				    NPAGES, 0);
	vm_userspace_mem_region_add(n->vm, VM_MEM_SRC_ANONYMOUS, NESTED_L2_GPA + GAP_OFF,
				    NUMBER_SLOT, NPAGES, 0);
	nested_map(n, RAM_OFF, NESTED_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
	nested_map(n, GAP_OFF, GAP_GPA, NPAGES * PAGE_SIZE, PG_LEVEL_4K, NESTED_RWX);
}

static void memslot_update_pair(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, DRIVE_GPA, DRIVE_SLOT, 1, 0);
	vm_mem_region_delete(vm, DRIVE_SLOT);
}

/* RAM, two gaps in turn, and one page that L1 does not map. */
static void touch_all(struct nested *n, uint64_t value)
{
	struct nested_cpu *cpu = &n->cpu[0];

	l2_write(cpu, RAM_OFF, value);
	l2_read_gap(cpu, GAP_OFF + 8, GAP_GPA + 8);
	l2_write_gap(cpu, GAP_OFF + PAGE_SIZE, GAP_GPA + PAGE_SIZE, value);
	l2_read(cpu, RAM_OFF, value);
	l2_read_gap(cpu, GAP_OFF, GAP_GPA);
	l2_write_gap(cpu, GAP_OFF + PAGE_SIZE + 16, GAP_GPA + PAGE_SIZE + 16, ~value);
}

/* Long enough for the generation to pass bit 8, as SPTEs have it. */
#define UPDATE_PAIRS	140

KVM_TEST_F(l2, gaps_exit_through_all_generations)
{
	struct nested n;
	unsigned int i;

	create(&n, variant->paging);
	for (i = 0; i < UPDATE_PAIRS; i++) {
		touch_all(&n, i + 1);
		/* Now and then L2 is left in between. */
		if (i % 8 == 7) {
			l2_fault(&n.cpu[0], L2_READ, UNMAPPED_OFF, 0);
			nested_run(&n.cpu[0], "generation about %lu", n.vm->memslot_generation);
		} else {
			nested_run_in_l2(&n.cpu[0], "generation about %lu, in L2",
					 n.vm->memslot_generation);
		}
		memslot_update_pair(n.vm);
	}
	touch_all(&n, i + 1);
	nested_run(&n.cpu[0], "generation about %lu, the last", n.vm->memslot_generation);
	nested_free(&n);
}

/* The faults are L1's, and only L1's, and L2's gaps are none of L1's business. */
KVM_TEST_F(l2, gaps_of_l1_are_l1s)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	create(&n, variant->paging);
	cpu = &n.cpu[0];
	for (i = 0; i < 6; i++) {
		l2_fault(cpu, L2_READ, UNMAPPED_OFF + 8 * i, 0);
		l2_read_gap(cpu, GAP_OFF + PAGE_SIZE * i, GAP_GPA + PAGE_SIZE * i);
		l2_fault(cpu, L2_WRITE, UNMAPPED_OFF + PAGE_SIZE * i, PFERR_WRITE_MASK);
		l2_fault(cpu, L2_EXEC, UNMAPPED_OFF, PFERR_FETCH_MASK);
		l2_write_gap(cpu, GAP_OFF, GAP_GPA, i);
		/* Beyond all of L1's tables for the window. */
		l2_fault(cpu, L2_WRITE, 256 * SZ_2M + PAGE_SIZE * i, PFERR_WRITE_MASK);
	}
	nested_run(cpu, "gaps of L0 and of L1");
	nested_free(&n);
}

/*
 * L1 and L2 in turn, at the same gvas. What the vCPU remembers of an access is told by
 * gva or gpa, and each number that is a gap for one of them is RAM for the other.
 */
KVM_TEST_F(l2, what_a_vcpu_remembers_is_of_one_level)
{
	const gpa_t number = NESTED_L2_GPA;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	create(&n, variant->paging);
	cpu = &n.cpu[0];
	/* With nested paging, L1's page tables are L2's. */
	if (!variant->paging) {
		virt_pg_map(n.vm, NESTED_L2_GVA + RAM_OFF, number + RAM_OFF);
		virt_pg_map(n.vm, NESTED_L2_GVA + GAP_OFF, number + GAP_OFF);
	}
	for (i = 0; i < 8; i++) {
		l2_read_gap(cpu, GAP_OFF, GAP_GPA);
		nested_order(cpu, L1_WRITE, NESTED_L2_GVA + GAP_OFF, i,
			     NESTED_WANT(DATA, i));
		l2_read_gap(cpu, GAP_OFF + 8, GAP_GPA + 8);
		nested_order(cpu, L1_READ, NESTED_L2_GVA + GAP_OFF, 0,
			     NESTED_WANT(DATA, i));
		nested_order(cpu, L1_READ, NESTED_L2_GVA + RAM_OFF, 0,
			     NESTED_WANT(MMIO, number + RAM_OFF));
		l2_write(cpu, RAM_OFF, i);
		nested_order(cpu, L1_READ, NESTED_L2_GVA + RAM_OFF + 8, 0,
			     NESTED_WANT(MMIO, number + RAM_OFF + 8));
		l2_read(cpu, RAM_OFF, i);
		l1_read_gap(cpu, GAP_GPA);
		l2_read_gap(cpu, GAP_OFF, GAP_GPA);
		l1_read(cpu, NESTED_GPA, i);
	}
	nested_run(cpu, "L1 and L2 in turn");
	nested_free(&n);
}

/* The number of the gap that L2 touches, as its own gpa, is RAM of L1's. */
KVM_TEST_F(l2, a_gap_whose_number_is_ram)
{
	const uint64_t off_ram = 64 * SZ_1M;
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	create(&n, variant->paging);
	cpu = &n.cpu[0];
	/* ... and the other way round: RAM whose number is a gap. */
	nested_map(&n, off_ram, NESTED_GPA, PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	for (i = 0; i < 8; i++) {
		uint64_t off = i % 3 * PAGE_SIZE + 8 * i;

		l2_read_gap(cpu, GAP_OFF + off, GAP_GPA + off);
		l2_write(cpu, off_ram + 8 * i, i);
		l2_write_gap(cpu, GAP_OFF + off, GAP_GPA + off, i);
		l2_read(cpu, off_ram + 8 * i, i);
		l1_read(cpu, NESTED_GPA + 8 * i, i);
	}
	nested_run(cpu, "numbers of L2 that L1 uses otherwise");
	nested_free(&n);
}

/*
 * One instruction with two operands, a gap and RAM, be it RAM at a gva whose number
 * is the gap's gpa of L2.
 */
KVM_TEST_F(l2, copies_between_gaps_and_ram)
{
	const gva_t ram[] = { NESTED_L2_GPA + GAP_OFF, NESTED_L2_GVA + RAM_OFF };
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i, k;

	create(&n, variant->paging);
	cpu = &n.cpu[0];
	virt_pg_map(n.vm, ram[0], vm_phy_pages_alloc(n.vm, 1));
	for (i = 0; i < 4; i++) {
		for (k = 0; k < ARRAY_SIZE(ram); k++) {
			gva_t at = ram[k] + 8 * i;

			nested_order(cpu, L2_WRITE, at, at, NESTED_WANT(DATA, at));
			nested_order(cpu, L2_COPY_OUT, NESTED_L2_GVA + GAP_OFF + 8 * i, at,
				     NESTED_WANT(MMIO, GAP_GPA + 8 * i));
			nested_order(cpu, L2_COPY_IN, NESTED_L2_GVA + GAP_OFF + 8 * i, at,
				     NESTED_WANT(MMIO, GAP_GPA + 8 * i));
		}
		l2_read_gap(cpu, GAP_OFF + PAGE_SIZE, GAP_GPA + PAGE_SIZE);
	}
	nested_run(cpu, "gaps and RAM in one instruction");
	nested_free(&n);
}

/* Length 0 is what the bus of fast MMIO has: only the gpa is compared. */
KVM_TEST_F(l2, eventfds_hear_gpas_of_l1)
{
	const uint64_t off = GAP_OFF + SZ_1M;
	struct nested_cpu *cpu;
	const int at_number = new_eventfd(), at_gpa = new_eventfd();
	struct nested n;
	unsigned int i;

	create(&n, variant->paging);
	cpu = &n.cpu[0];
	nested_map(&n, off, GAP_GPA, 2 * PAGE_SIZE, PG_LEVEL_4K, NESTED_RW);
	vm_ioeventfd(n.vm, at_number, NESTED_L2_GPA + off, 0, 0, 0);
	vm_ioeventfd(n.vm, at_gpa, GAP_GPA + PAGE_SIZE, 0, 0, 0);
	for (i = 0; i < 4; i++) {
		l2_write_gap(cpu, off, GAP_GPA, i);
		l2_write(cpu, off + PAGE_SIZE, i);
		l2_write_gap(cpu, off + 8, GAP_GPA + 8, i);
	}
	nested_run(cpu, "L2 writes to gaps, one of which has an eventfd");
	TEST_ASSERT_EQ(eventfd_signals(at_number), 0UL);
	TEST_ASSERT_EQ(eventfd_signals(at_gpa), 4UL);
	nested_free(&n);
}

/* The gap becomes RAM while L2 is looking, RAM that it must not write, and a gap. */
KVM_TEST_F(l2, gaps_come_and_go)
{
	struct nested_cpu *cpu;
	struct nested n;
	unsigned int i;

	create(&n, variant->paging);
	cpu = &n.cpu[0];
	for (i = 0; i < 10; i++) {
		l2_read_gap(cpu, GAP_OFF, GAP_GPA);
		l2_write_gap(cpu, GAP_OFF + PAGE_SIZE, GAP_GPA + PAGE_SIZE, i);
		nested_run_in_l2(cpu, "round %u: a gap", i);

		vm_userspace_mem_region_add(n.vm, VM_MEM_SRC_ANONYMOUS, GAP_GPA,
					    DRIVE_SLOT, 2, i % 2 ? KVM_MEM_READONLY : 0);
		*(uint64_t *)addr_gpa2hva(n.vm, GAP_GPA) = 0x100 + i;
		l2_read(cpu, GAP_OFF, 0x100 + i);
		if (i % 2)
			l2_write_gap(cpu, GAP_OFF + PAGE_SIZE, GAP_GPA + PAGE_SIZE, i);
		else
			l2_write(cpu, GAP_OFF + PAGE_SIZE, i);
		l2_read(cpu, GAP_OFF + PAGE_SIZE, i % 2 ? 0 : i);
		if (i % 3)
			nested_run_in_l2(cpu, "round %u: RAM", i);
		else
			nested_run(cpu, "round %u: RAM, then L1", i);
		vm_mem_region_delete(n.vm, DRIVE_SLOT);
	}
	nested_run(cpu, "back in L1");
	nested_free(&n);
}

KVM_TEST_MAIN()
