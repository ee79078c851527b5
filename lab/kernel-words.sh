# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a kernel says when it is in trouble, and where it is kept over a reboot.
# shellcheck disable=SC2034

readonly LOCKUP='soft lockup|hard LOCKUP|self-detected stall|detected (expedited )?stalls|kthread starved'
readonly DEATH='Kernel panic|kernel BUG at|BUG: (unable|kernel NULL|stack)|Oops: |general protection fault|double fault'
readonly SPLAT='WARNING: |BUG: |BUG [a-z_]+ |refcount_t: |UBSAN: |KASAN: |reserved bits|Bad page'

# pstore_logs FILE: what pstore kept of kernel logs since FILE was written. Part1 of a
# log in several parts is its end.
pstore_logs() {
	# shellcheck disable=SC2086 # a list
	find ${KVM_TEST_PSTORE:-/sys/fs/pstore /var/lib/systemd/pstore} -type f -name '*dmesg*' -newer "$1" 2> /dev/null |
		while read -r log; do
			echo "$(sed -n '1s/.* Part\([0-9][0-9]*\)$/\1/p' "$log") $log"
		done | sort -rn | cut -d ' ' -f 2- | while read -r log; do cat -- "$log"; done
}
