/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests that do what the host says, one instruction at a time, and a model of
 * what each of them must do: which MMIO exits, in which order, with which data;
 * what is in the registers afterwards, and in every byte of RAM around.
 *
 * The model knows the guest's page tables and the memslots; what no memslot
 * holds must exit, what one holds must not (a write to a read-only slot exits).
 */
#ifndef SELFTEST_KVM_GUEST_OP_H
#define SELFTEST_KVM_GUEST_OP_H

#include "kvm_util.h"

enum guest_insn {
	INSN_MOV_READ,
	INSN_MOV_WRITE,
	INSN_ADD_READ,		/* register += memory */
	INSN_INC,
	INSN_ADD,		/* memory += register */
	INSN_XCHG,
	INSN_LOCK_XADD,
	INSN_CMPXCHG,		/* with "match", or not */
	INSN_LOCK_CMPXCHG,
	INSN_PUSH,		/* 8 bytes */
	INSN_ENTER,		/* 8 bytes: pushes RBP */
	INSN_MOVUPS,		/* 16 bytes, from src to gva */
	INSN_REP_MOVS,		/* from src to gva */
	INSN_REP_STOS,
	INSN_REP_LODS,
	INSN_CALL,		/* calls gva with src as its argument (RDI) */
	NR_INSNS,
};

struct guest_op {
	enum guest_insn insn;
	unsigned int len;	/* of one access: 1, 2, 4, 8 */
	gva_t gva;
	gva_t src;
	uint64_t count;		/* REP: how many; the first is at gva and src */
	bool backwards;		/* REP: with RFLAGS.DF set */
	bool match;		/* CMPXCHG: finds what it expects */
};

const char *guest_insn_name(enum guest_insn insn);

/* vCPUs that take such orders. */
struct kvm_vm *vm_create_with_op_vcpus(uint32_t nr_vcpus, struct kvm_vcpu *vcpus[]);
struct kvm_vcpu *vm_op_vcpu_add(struct kvm_vm *vm, uint32_t id);

/* How many bytes it writes, the lowest one at @first. */
size_t guest_op_written(const struct guest_op *op, gva_t *first);

/* Has @vcpu execute @op and checks everything; all random bytes are answered. */
void vcpu_do_op(struct kvm_vcpu *vcpu, const struct guest_op *op);

/*
 * For what the model does not know: gives the order without running the vCPU,
 * whose next run then executes it, up to a GUEST_SYNC.
 */
void vcpu_order_op(struct kvm_vcpu *vcpu, const struct guest_op *op);

static inline void vcpu_do_mov(struct kvm_vcpu *vcpu, enum guest_insn insn,
			       gva_t gva, unsigned int len)
{
	vcpu_do_op(vcpu, &(struct guest_op){ .insn = insn, .gva = gva, .len = len });
}

#define vcpu_do_read(vcpu, gva, len)	vcpu_do_mov(vcpu, INSN_MOV_READ, gva, len)
#define vcpu_do_write(vcpu, gva, len)	vcpu_do_mov(vcpu, INSN_MOV_WRITE, gva, len)

/*
 * A piece of an access that KVM handles as one: within one page, and at most 8
 * bytes if it exits.
 */
struct access_piece {
	gpa_t gpa;
	unsigned int start, len;
	bool exits;
};

void next_access_piece(struct kvm_vm *vm, gva_t gva, unsigned int size,
		       bool is_write, struct access_piece *p);

#define for_each_access_piece(vm, gva, size, is_write, p)		\
	for (p = (struct access_piece){};				\
	     p.start + p.len < (size) &&				\
	     (next_access_piece(vm, gva, size, is_write, &p), true); )

/* What an instruction with one memory operand can be. */
#define for_each_rmw_insn(insn)						\
	for (insn = INSN_INC; insn <= INSN_LOCK_CMPXCHG; insn++)

#endif /* SELFTEST_KVM_GUEST_OP_H */
