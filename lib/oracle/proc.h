/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc says of the processes of a case. */
#ifndef SELFTEST_KVM_LIB_ORACLE_PROC_H
#define SELFTEST_KVM_LIB_ORACLE_PROC_H

#include <sys/types.h>

/* Prints state, wait channel and kernel stack of every thread of @pid. */
void print_threads(pid_t pid);

void signal_threads(pid_t pid, int sig);

/*
 * A child of the calling process that still exists, one of @last only when there
 * is no other; 0 when there is none.
 */
pid_t first_child(const pid_t last[], size_t nr_last);

#endif /* SELFTEST_KVM_LIB_ORACLE_PROC_H */
