// SPDX-License-Identifier: GPL-2.0-only
/* The host as a case found it, see host_watch.h. */
#include "host_watch.h"
#include "test_util.h"

void host_watch_start(struct host_watch *w)
{
	host_state_read(&w->before, "");
	w->can_tell = w->before.value[HOST_VMS] == 0;
}

void host_watch_expect_clean(const struct host_watch *w, const char *when)
{
	struct host_state now;
	char text[1024];

	if (w->can_tell && host_state_check(&w->before, &now, test_seconds(HOST_SETTLE_SECONDS),
					    text, sizeof(text)))
		test_fail(ORACLE_LEAK, __FILE__, __LINE__, NULL, "%s:\n%s", when, text);
}

void host_watch_expect_module_held(const struct host_watch *w, const char *holder)
{
	struct host_state now;

	if (!w->can_tell)
		return;
	host_state_read(&now, "");
	TEST_ASSERT_ORACLE(ORACLE_LEAK, now.value[HOST_MODULE_REFS] >
			   w->before.value[HOST_MODULE_REFS],
			   "%s: %ld references to the vendor module, as many as without a VM",
			   holder, now.value[HOST_MODULE_REFS]);
}
