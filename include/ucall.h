/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest to host calls: the guest puts a struct ucall on its stack and writes
 * to a port; the host reads it through the guest's page tables.
 *
 * Strings (file, expression, format) are passed as pointers: guest and host are
 * one ELF file loaded at the same addresses, so a pointer to a string constant
 * means the same on both sides. Format arguments are 64-bit values.
 */
#ifndef SELFTEST_KVM_UCALL_H
#define SELFTEST_KVM_UCALL_H

#include <stdint.h>
#include <stdio.h>

#define UCALL_PIO_PORT		((uint16_t)0x1000)
#define UCALL_MAX_ARGS		8

enum {
	UCALL_NONE,
	UCALL_SYNC,
	UCALL_ABORT,
	UCALL_PRINTF,
	UCALL_DONE,
	UCALL_UNHANDLED,	/* an exception nobody in the guest expected */
};

struct ucall {
	uint64_t cmd;
	uint64_t args[UCALL_MAX_ARGS];
};

struct kvm_vcpu;

/* Guest side. Arguments beyond UCALL_MAX_ARGS do not compile. */
void ucall(uint64_t cmd, int nargs, ...);

/*
 * Host side: fills @uc and returns its command when the vCPU's last exit was a
 * ucall, else UCALL_NONE. Never fails the case. @uc may be NULL.
 */
uint64_t get_ucall(struct kvm_vcpu *vcpu, struct ucall *uc);

/* Fails the case with the guest's own message and the guest's file and line. */
void __attribute__((noreturn)) report_guest_abort(struct kvm_vcpu *vcpu,
						  const struct ucall *uc);
#define REPORT_GUEST_ASSERT(vcpu, uc)	report_guest_abort(vcpu, &(uc))

/* printf()'s format check, without the call. */
#define __ucall_check_fmt(fmt, ...)					\
do {									\
	if (0)								\
		printf(fmt, ##__VA_ARGS__);				\
} while (0)

#define __UCALL_NARGS(zero, a1, a2, a3, a4, n, ...)	n
#define __UCALL_COUNT(...)	__UCALL_NARGS(__VA_ARGS__, 4, 3, 2, 1, 0)

/* GUEST_SYNC(stage): stops the vCPU; the host sees UCALL_SYNC and @stage. */
#define GUEST_SYNC(stage)	ucall(UCALL_SYNC, 1, (uint64_t)(stage))
#define GUEST_SYNC_ARGS(stage, a1, a2, a3, a4)				\
	ucall(UCALL_SYNC, 5, (uint64_t)(stage), (uint64_t)(a1),		\
	      (uint64_t)(a2), (uint64_t)(a3), (uint64_t)(a4))
#define GUEST_DONE()		ucall(UCALL_DONE, 0)

/* Up to four format arguments; cast them to 64 bits, no floating point. */
#define __GUEST_ASSERT(e, fmt, ...)					\
do {									\
	if (!(e)) {							\
		__ucall_check_fmt(fmt, ##__VA_ARGS__);			\
		ucall(UCALL_ABORT, 4 + __UCALL_COUNT(0, ##__VA_ARGS__),	\
		      #e, __FILE__, (uint64_t)__LINE__, fmt,		\
		      ##__VA_ARGS__);					\
	}								\
} while (0)

#define GUEST_ASSERT(e)		__GUEST_ASSERT(e, "not true")

#define GUEST_ASSERT_EQ(a, b)						\
do {									\
	uint64_t __a = (uint64_t)(a);					\
	uint64_t __b = (uint64_t)(b);					\
	__GUEST_ASSERT(__a == __b, #a " is 0x%lx, " #b " is 0x%lx",	\
		       __a, __b);					\
} while (0)

#define GUEST_FAIL(fmt, ...)	__GUEST_ASSERT(0, fmt, ##__VA_ARGS__)

#endif /* SELFTEST_KVM_UCALL_H */
