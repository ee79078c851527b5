# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The sets of make run_tests PROFILE=...
#
# Part of ci/selftest, whose variables it shares.
# shellcheck disable=SC2154

profile_is_a_set_of_jobs() {
	local profile=$LAB_TOP/scripts/profile

	diff <("$profile" patch auto --list) <("$LAB_DIR/matrix" --quick --list)
	diff <("$profile" nightly auto --list) <("$LAB_DIR/matrix" --list)
	diff <("$profile" nightly intel --list) <("$LAB_DIR/matrix" --only 'intel-*' --list)
	rc=0
	"$profile" soak amd > out 2>&1 || rc=$?
	[ $rc = 2 ] && grep 'add HOST=local' out
	rc=0
	"$profile" weekly auto > out 2>&1 || rc=$?
	[ $rc = 2 ] && grep "not 'weekly'" out
}
