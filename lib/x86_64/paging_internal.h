/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of guest_paging.h: the guest, the model, the orders. */
#ifndef SELFTEST_KVM_LIB_PAGING_INTERNAL_H
#define SELFTEST_KVM_LIB_PAGING_INTERNAL_H

#include "guest_paging.h"

/* The user's mappings: the page of instructions, and a gap. */
#define PAGING_USER_CODE_GVA	0x580000000000UL
#define PAGING_USER_GAP_GVA	(PAGING_USER_CODE_GVA + PAGE_SIZE)
#define PAGING_MOVS_GPA		(PAGING_GAP_GPA + 2 * SZ_1M)
#define PAGING_OUTS_PORT	0x2000

gva_t guest_paging_insn_page(void);
void guest_paging_exception(struct ex_regs *regs);

#define AD_MASK			(PTE_ACCESSED_MASK | PTE_DIRTY_MASK)
#define ALL_CONTEXTS		(-1)

/* Follows a write of 8 bytes. */
void paging_model_store(struct paging *p, gpa_t gpa, uint64_t value);
/* @gva of one or all contexts; every gva when it is 0. */
void paging_model_flush(struct paging_cpu *cpu, int context, gva_t gva);
/* Number of the current context. */
int paging_context(struct paging_cpu *cpu);
/* Index of a gva that is watched. */
unsigned int paging_watched(struct paging *p, gva_t gva);
/*
 * What must come of an access, and what it does to the pool. False where the
 * model does not know.
 */
bool paging_predict(struct paging_cpu *cpu, struct paging_want *want,
		    struct paging_step *s);
bool paging_same_word(struct paging *p, gpa_t gpa, uint64_t got, uint64_t want);

#endif /* SELFTEST_KVM_LIB_PAGING_INTERNAL_H */
