/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host as a case found it, for cases that look in the middle: what the
 * supervisor of a case looks at when it is over (see oracle.h).
 */
#ifndef SELFTEST_KVM_HOST_WATCH_H
#define SELFTEST_KVM_HOST_WATCH_H

#include "oracle.h"

struct host_watch {
	struct host_state before;
	bool can_tell;		/* no other VM, and its debugfs can be read */
};

/* Before there is a VM. */
void host_watch_start(struct host_watch *w);
/* Nothing is left behind, soon. */
void host_watch_expect_clean(const struct host_watch *w, const char *when);
/* Whatever holds a VM must hold the module whose code is to free it. */
void host_watch_expect_module_held(const struct host_watch *w, const char *holder);

#endif /* SELFTEST_KVM_HOST_WATCH_H */
