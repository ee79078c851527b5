// SPDX-License-Identifier: GPL-2.0-only
/* VMs with something alive in them, see vm_alive.h. */
#include "kvm_test.h"
#include "processor.h"
#include "smm.h"
#include "ucall.h"
#include "vm_alive.h"

#define TOP_GVA		0x7e0000000000UL	/* RAM and a gap at the last gfns */
#define TOP_SLOT	300

/* ---- guest ---- */

static uint64_t guest_progress[KVM_MAX_TEST_VCPUS];

uint64_t vm_alive_word(uint64_t id, uint64_t page)
{
	return 0x7ead000000000000UL | id << 32 | page;
}

void guest_vm_alive(uint64_t id, uint64_t ram, uint64_t npages, uint64_t ngaps)
{
	uint64_t i;

	for (i = 0; i < npages; i++)
		guest_write64(ram + i * PAGE_SIZE, vm_alive_word(id, i));
	GUEST_SYNC(id);
	for (i = 0; i < npages; i += 2)
		guest_write64(ram + i * PAGE_SIZE, vm_alive_word(id, i));
	for (i = 0; i < ngaps; i++)
		guest_read64(VM_ALIVE_GAP_GVA + i * PAGE_SIZE);
	guest_write64(TOP_GVA, vm_alive_word(id, 0));
	guest_read64(TOP_GVA + PAGE_SIZE);
	GUEST_SYNC(id);
	for (;; guest_progress[id]++) {
		for (i = 0; i < npages; i++)
			GUEST_ASSERT_EQ(guest_read64(ram + i * PAGE_SIZE),
					vm_alive_word(id, i));
	}
}

void vm_alive_require(const struct alive *alive)
{
	char lacks[HUGETLB_REASON_SIZE];

	__TEST_REQUIRE(!alive->smm || kvm_has_cap(KVM_CAP_MULTI_ADDRESS_SPACE),
		       "needs KVM_CAP_MULTI_ADDRESS_SPACE: a kernel with CONFIG_KVM_SMM");
	if (alive->src == VM_MEM_SRC_ANONYMOUS_HUGETLB_2MB &&
	    hugetlb_lacks(lacks, SZ_2M, alive->npages / 512))
		test_skip("%s", lacks);
	if (alive->src == VM_MEM_SRC_ANONYMOUS_THP)
		__TEST_REQUIRE(thp_configured(), "needs transparent huge pages");
}

void vm_alive_add_memory(struct kvm_vm *vm, const struct alive *alive)
{
	const uint64_t npages = alive->npages * alive->nvcpus;
	const uint64_t slot_pages = npages / alive->nslots;
	const gpa_t top = (vm->max_gfn - 1) << PAGE_SHIFT;
	unsigned int i;

	for (i = 0; i < alive->nslots; i++)
		vm_userspace_mem_region_add(vm, alive->src,
					    VM_ALIVE_RAM_GPA + i * slot_pages * PAGE_SIZE,
					    VM_ALIVE_RAM_SLOT + i, slot_pages, 0);
	/* 2M leafs, so that the guest's tables do not limit what KVM maps. */
	virt_map_level(vm, VM_ALIVE_RAM_GVA, VM_ALIVE_RAM_GPA,
		       align_up(npages * PAGE_SIZE, SZ_2M), PG_LEVEL_2M);
	virt_map(vm, VM_ALIVE_GAP_GVA, VM_ALIVE_GAP_GPA, alive->ngaps);
	/* A zap of all that stops too early misses what is up there. */
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, top, TOP_SLOT, 1, 0);
	virt_map(vm, TOP_GVA, top, 2);
}

static unsigned int ntouched(const struct alive *alive)
{
	return alive->ntouched ?: alive->npages;
}

/* The same memory, once more. */
static void add_smm_memory(struct kvm_vm *vm)
{
	static const uint32_t slots[] = { VM_ALIVE_RAM_SLOT, TOP_SLOT };
	size_t i;

	vm_smm_init(vm);
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		struct userspace_mem_region *r = vm_get_mem_region(vm, slots[i]);

		vm_mem_region_add_backing(vm, &r->mem, r->mem.hva, r->gpa,
					  SMM_SLOT(slots[i]), r->size / PAGE_SIZE, 0);
	}
}

void vcpu_run_alive(struct kvm_vcpu *vcpu)
{
	do {
		vcpu_run(vcpu);
	} while (vcpu->run->exit_reason == KVM_EXIT_MMIO);
	if (get_ucall(vcpu, NULL) != UCALL_SYNC)
		vcpu_unexpected_exit(vcpu, "GUEST_SYNC");
}

struct kvm_vm *vm_alive_create(void *arg)
{
	const struct alive *alive = arg;
	struct kvm_vcpu *vcpus[KVM_MAX_TEST_VCPUS];
	struct kvm_vm *vm;
	unsigned int i;

	vm_alive_require(alive);
	vm = vm_create_with_vcpus(alive->nvcpus, guest_vm_alive, vcpus);
	vm_alive_add_memory(vm, alive);
	for (i = 0; i < alive->nvcpus; i++) {
		vcpu_args_set(vcpus[i], 4, (uint64_t)i,
			      VM_ALIVE_RAM_GVA + i * alive->npages * PAGE_SIZE,
			      (uint64_t)ntouched(alive), (uint64_t)alive->ngaps);
		vcpu_run_alive(vcpus[i]);
	}
	if (alive->dirty_log)
		vm_mem_region_set_flags(vm, VM_ALIVE_RAM_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	if (alive->smm)
		add_smm_memory(vm);
	for (i = 0; i < alive->nvcpus; i++) {
		if (alive->smm) {
			vcpu_run_complete_io(vcpus[i]);
			vcpu_set_smm(vcpus[i], true);
		}
		vcpu_run_alive(vcpus[i]);
	}
	return vm;
}

static void run_forever(struct kvm_vcpu *vcpu)
{
	while (vcpu_run_unless_stopped(vcpu))
		;
}

void vm_alive_start_vcpus(struct kvm_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		write_guest_global(vm, guest_progress[i], 0);
		vcpu_thread_start(vm->vcpus[i], run_forever);
	}
	for (i = 0; i < vm->nr_vcpus; i++) {
		while (!read_guest_global(vm, guest_progress[i]))
			usleep(200);
	}
}
