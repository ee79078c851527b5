/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places in guest memory that KVM itself writes to, where an MSR or, for a guest of
 * Xen's, an ioctl tells it to: clocks, steal time, flags. It keeps a translation of
 * each, which must follow memslots and host memory, and no store of its own may bypass
 * the dirty log.
 */
#ifndef SELFTEST_KVM_KVM_WRITER_H
#define SELFTEST_KVM_KVM_WRITER_H

#include "kvm_util.h"

enum kvm_writer {
	/* Those that write when the MSR is written, and then no more. */
	KVM_WRITES_WALL_CLOCK,
	KVM_WRITES_HYPERCALL_PAGE,	/* Hyper-V's */
	KVM_WRITES_ASSIST_PAGE,		/* likewise */
	KVM_WRITES_TSC_PAGE,		/* likewise; when the vCPU runs */
	KVM_WRITES_XEN_WALL_CLOCK,
	/* Those that go on. */
	KVM_WRITES_CLOCK,
	KVM_WRITES_STEAL_TIME,
	KVM_WRITES_END_OF_INTERRUPT,
	KVM_WRITES_XEN_CLOCK,
	KVM_WRITES_XEN_EVENTS,
	KVM_WRITES_XEN_RUN_STATE,	/* instead of steal time */
	NR_KVM_WRITERS,
};

/* Where in a page Xen's event channels are. */
#define XEN_EVENTS_OFFSET	0x800UL

const char *kvm_writer_name(enum kvm_writer w);
/* False, with one line that says so, where KVM does not offer that writer. */
bool kvm_writer_is_offered(enum kvm_writer w);

/* Xen's shared pages are exempt from dirty logs (KVM API document, 4.126 and 4.128). */
bool kvm_writer_is_logged(enum kvm_writer w);

/* Before the vCPU of a VM runs for the first time. */
void vm_kvm_writers_init(struct kvm_vm *vm);

/*
 * Has KVM write to @gpa from now on, which is aligned to 64 bytes, to a page for
 * Hyper-V's and Xen's wall clock, and for Xen's event channels XEN_EVENTS_OFFSET
 * into one (KVM is told of the page). False where kvm_writer_is_offered() is false; one
 * that KVM offers and refuses fails the case.
 */
bool kvm_writer_start(struct kvm_vcpu *vcpu, enum kvm_writer w, gpa_t gpa);
/* The same; 1: KVM has taken the gpa, 0: it has not, -1: it does not offer that writer. */
int __kvm_writer_start(struct kvm_vcpu *vcpu, enum kvm_writer w, gpa_t gpa);
/* When the vCPU runs next, KVM writes. */
void kvm_writer_trigger(struct kvm_vcpu *vcpu, enum kvm_writer w);
void kvm_writer_stop(struct kvm_vcpu *vcpu, enum kvm_writer w);

#endif /* SELFTEST_KVM_KVM_WRITER_H */
