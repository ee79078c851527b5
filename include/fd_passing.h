/* SPDX-License-Identifier: GPL-2.0-only */
/* File descriptors between processes, over a UNIX socket (unix(7), SCM_RIGHTS). */
#ifndef SELFTEST_KVM_FD_PASSING_H
#define SELFTEST_KVM_FD_PASSING_H

/* Fails the case when the socket does not take it. */
void send_fd(int sock, int fd);

/* The next one that is there, close-on-exec; -1 when there is none. */
int receive_fd(int sock);

#endif /* SELFTEST_KVM_FD_PASSING_H */
