/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vCPU finds after a reset: guest physical memory below 64K, with code that
 * accesses RAM and a gap in real mode and then, if it goes on, enters long mode.
 */
#ifndef SELFTEST_KVM_REAL_MODE_H
#define SELFTEST_KVM_REAL_MODE_H

#include "kvm_util.h"

/* The first four pages are the window, which page tables may show as something else. */
#define REAL_WINDOW_GPA		0x8000UL	/* the code */
#define REAL_WINDOW_PAGES	4
#define REAL_RAM_GPA		0x9000UL
#define REAL_GAP_GPA		0xa000UL
#define REAL_RAM2_GPA		0xb000UL
#define REAL_TABLE_GPA		0xc000UL	/* a page table of the first 2M */
#define REAL_BOX_GPA		0xd000UL
#define REAL_STATE_GPA		0xd200UL	/* the test's */
#define REAL_VECTOR_GPA		0xfffff000UL	/* where a CPU starts that gets no SIPI */

/* Memslots; NESTED_SLOT is 1. */
#define REAL_IVT_SLOT		2
#define REAL_LOW_SLOT		3		/* code and RAM */
#define REAL_HIGH_SLOT		4
#define REAL_VECTOR_SLOT	5

#define REAL_STRING_PORT	0x1010

/* At REAL_BOX_GPA; the code knows the layout. */
struct real_mode_box {
	uint32_t cr3, entry;		/* of long mode */
	uint64_t rsp;
	uint32_t stamp, ram, gap;	/* written to RAM; read from there, and from the gap */
	uint32_t cr4;			/* of long mode */
	uint32_t pte[REAL_WINDOW_PAGES]; /* written to the table before paging is on */
	uint64_t gdt_pointer, pad2;
	uint64_t gdt[4];
};

/* Adds the memory. */
void vm_real_mode_init(struct kvm_vm *vm);
/* Where the code goes in long mode, with the VM's page tables and a copy of its GDT. */
void vm_real_mode_set_entry(struct kvm_vm *vm, void *entry, uint64_t rsp);

/* What a page of RAM begins with, and a gap is answered with. */
static inline uint32_t real_mode_word(gpa_t gpa)
{
	return 0xa5000000 | gpa >> PAGE_SHIFT;
}

/* Code of real mode, for places that no vCPU may execute. */
void real_mode_put_decoy(void *code);

/* In RAM2. KVM writes there until the vCPU is reset. */
void vcpu_set_steal_time(struct kvm_vcpu *vcpu);

/* The last exit must be of an OUTS from @gva, which is RAM at @gpa. */
void vcpu_check_outs(struct kvm_vcpu *vcpu, gva_t gva, gpa_t gpa);
/*
 * The last exit must be the first of the code in real mode, an OUTS. Runs the vCPU to
 * the last, after which it enters long mode.
 */
void vcpu_check_real_mode(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_REAL_MODE_H */
