/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs with something alive in them that has to be torn down: mappings of RAM and of
 * MMIO, up to the last gfn, large pages, slots, vCPUs.
 */
#ifndef SELFTEST_KVM_VM_ALIVE_H
#define SELFTEST_KVM_VM_ALIVE_H

#include "kvm_util.h"

#define VM_ALIVE_RAM_GPA	0x40000000UL
#define VM_ALIVE_RAM_GVA	0x40000000UL
#define VM_ALIVE_GAP_GPA	0x80000000UL
#define VM_ALIVE_GAP_GVA	0x80000000UL
#define VM_ALIVE_RAM_SLOT	1		/* + n, where there are many */

struct alive {
	enum vm_mem_backing_src_type src;
	unsigned int npages;	/* of RAM for each vCPU */
	unsigned int ngaps;	/* pages of MMIO */
	unsigned int nslots;	/* that RAM is cut into */
	unsigned int nvcpus;
	unsigned int ntouched;	/* of npages, 0: all */
	bool dirty_log;
	bool smm;		/* slots of SMM's, and vCPUs in it */
};

/* Skips the case where the host has not what this takes. */
void vm_alive_require(const struct alive *alive);

/* By the process that is to die with it; @arg is a struct alive. */
struct kvm_vm *vm_alive_create(void *arg);

/* All vCPUs are in guest mode, for good, when this returns. */
void vm_alive_start_vcpus(struct kvm_vm *vm);

/* What each page of RAM then begins with. */
uint64_t vm_alive_word(uint64_t vcpu_id, uint64_t page);

/*
 * The parts of it: memory, and a guest that touches all of it, half of it twice,
 * with a GUEST_SYNC() after each, and then stays in guest mode for good.
 */
void vm_alive_add_memory(struct kvm_vm *vm, const struct alive *alive);
void guest_vm_alive(uint64_t id, uint64_t ram, uint64_t npages, uint64_t ngaps);
/* To the next GUEST_SYNC(), past MMIO exits. */
void vcpu_run_alive(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_VM_ALIVE_H */
