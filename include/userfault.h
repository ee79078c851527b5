/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory that is not there, or is not to be written, until the host says so:
 * userfaultfd(2). Pages are counted from the start of a struct backing_mem.
 */
#ifndef SELFTEST_KVM_USERFAULT_H
#define SELFTEST_KVM_USERFAULT_H

#include <linux/userfaultfd.h>

#include "test_util.h"

/*
 * Watches all of @mem; @mode is UFFDIO_REGISTER_MODE_MISSING or _WP. The fd must be
 * opened when the VM's are there: a process closes its last one first, and only that
 * ends a fault that nobody has answered, for which KVM waits in a close of its own.
 */
int userfault_open(const struct backing_mem *mem, uint64_t mode);

/* The page of the next fault that somebody waits in; @flags must be among its own. */
size_t userfault_wait(int fd, const struct backing_mem *mem, uint64_t flags);
/* True when there is one. */
bool userfault_pending(int fd);

/* The host drops all pages; each is missing then until it is given. */
void userfault_take_away(const struct backing_mem *mem);
/* @data is a copy of all of @mem. */
void userfault_give(int fd, const struct backing_mem *mem, size_t page, const void *data);
int __userfault_give(int fd, const struct backing_mem *mem, size_t page, const void *data);

#endif /* SELFTEST_KVM_USERFAULT_H */
