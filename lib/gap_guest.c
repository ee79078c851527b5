// SPDX-License-Identifier: GPL-2.0-only
/* A guest with two gaps that can be closed, see gap_guest.h. */
#include "gap_guest.h"
#include "kvm_test.h"
#include "ucall.h"

#define GAP_GPA		0x80000000UL
#define GAP_STRIDE	0x200000UL

gpa_t gap_gpa(int gap)
{
	return GAP_GPA + gap * GAP_STRIDE;
}

void gap_guest_create(struct gap_guest *g, bool cap)
{
	gpa_t below;
	int i;

	memset(g, 0, sizeof(*g));
	g->cap = cap;
	__TEST_REQUIRE(!cap || kvm_has_cap(KVM_CAP_EXIT_ON_EMULATION_FAILURE),
		       "needs KVM_CAP_EXIT_ON_EMULATION_FAILURE, which this kernel lacks");
	g->vm = vm_create_with_one_vcpu(&g->vcpu, guest_job_loop);
	if (cap)
		vm_enable_cap(g->vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
	for (i = 0; i < 2; i++) {
		below = gap_gpa(i) - PAGE_SIZE;
		vm_userspace_mem_region_add(g->vm, VM_MEM_SRC_ANONYMOUS, below,
					    GAP_RAM_SLOT + i, 1, 0);
		g->gva[i] = vm_map_gpa(g->vm, below, 2 * PAGE_SIZE) + PAGE_SIZE;
		backing_mem_alloc(&g->ram[i], VM_MEM_SRC_ANONYMOUS, PAGE_SIZE,
				  gap_gpa(i));
	}
}

static void gap_slot_add(struct gap_guest *g, int gap, uint32_t flags)
{
	vm_mem_region_add_backing(g->vm, &g->ram[gap], g->ram[gap].hva,
				  gap_gpa(gap), GAP_SLOT + gap, 1, flags);
}

void gap_guest_use_readonly_slots(struct gap_guest *g)
{
	g->ro_slot = true;
	gap_slot_add(g, 0, KVM_MEM_READONLY);
	gap_slot_add(g, 1, KVM_MEM_READONLY);
}

void gap_close(struct gap_guest *g, int gap)
{
	if (g->ro_slot)
		vm_mem_region_delete(g->vm, GAP_SLOT + gap);
	gap_slot_add(g, gap, 0);
}

void gap_open(struct gap_guest *g, int gap)
{
	vm_mem_region_delete(g->vm, GAP_SLOT + gap);
	if (g->ro_slot)
		gap_slot_add(g, gap, KVM_MEM_READONLY);
}

void gap_guest_expect_vector(struct gap_guest *g, uint64_t vector, struct ucall *uc)
{
	vcpu_run_to_sync(g->vcpu, uc);
	TEST_ASSERT_ORACLE(ORACLE_EXIT, uc->args[0] == vector,
			   "want vector %lu in the guest, got %lu (0 is none)",
			   vector, uc->args[0]);
}
