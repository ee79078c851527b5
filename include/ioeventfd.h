/* SPDX-License-Identifier: GPL-2.0-only */
/* Eventfds that a guest's stores, or writes to ports, signal. */
#ifndef SELFTEST_KVM_IOEVENTFD_H
#define SELFTEST_KVM_IOEVENTFD_H

#include "kvm_util.h"

/*
 * KVM_IOEVENTFD at a gpa or, with KVM_IOEVENTFD_FLAG_PIO, a port; @len in bytes, 0 is
 * any. The first one returns what the ioctl does, the other fails the case.
 */
int __vm_ioeventfd(struct kvm_vm *vm, int fd, uint64_t addr, uint32_t len,
		   uint64_t datamatch, uint32_t flags);
void vm_ioeventfd(struct kvm_vm *vm, int fd, uint64_t addr, uint32_t len,
		  uint64_t datamatch, uint32_t flags);

/* One whose reads do not wait. */
int new_eventfd(void);
/* How often it was signalled since the last time. */
uint64_t eventfd_signals(int fd);

#endif /* SELFTEST_KVM_IOEVENTFD_H */
